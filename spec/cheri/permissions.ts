/**
 * Permissions by word. A program names permissions by these words; each format maps the words that it has to its own
 * bits and ignores the others, so that one program runs on every format.
 */

const memoryWords = ["load", "store", "execute", "load-cap", "store-cap", "store-local", "global"] as const;
const controlWords = ["seal", "unseal", "invoke", "system", "mutable-load", "elevate-level"] as const;
const otherWords = ["set-cid", "executive", "user0", "user1", "user2", "user3"] as const;

/** All words, in the order in which they are printed. */
export const permissionWords = [...memoryWords, ...controlWords, ...otherWords] as const;

/**
 * A permission's word. `mutable-load` is Morello's MutableLoad and RVY's LM; `elevate-level` is RVY's EL (LG in later
 * texts); RVY's level bit is `global`, its SL is `store-local`, and its one C bit is both `load-cap` and `store-cap`.
 */
export type Permission = (typeof permissionWords)[number];

/** The bits of each permission in a format's numbering (the one that CGetPerm reads); words that it lacks are left out. */
export type PermissionBits = Readonly<Partial<Record<Permission, bigint>>>;

/** Consecutive bits of a numbering, from bit `first` on. */
export const inOrder = (first: number, ...words: readonly Permission[]): PermissionBits =>
  Object.fromEntries(words.map((word, index) => [word, 1n << BigInt(first + index)]));

/** The permission word with exactly the named permissions, in a format's own numbering. */
export const permissionMask = (bits: PermissionBits, words: readonly Permission[]): bigint =>
  words.reduce((mask, word) => mask | (bits[word] ?? 0n), 0n);

/** The words of the permissions that are set in `permissions`, in the order of `permissionWords`. */
export const permissionNames = (bits: PermissionBits, permissions: bigint): readonly Permission[] =>
  permissionWords.filter((word) => ((bits[word] ?? 0n) & permissions) !== 0n);
