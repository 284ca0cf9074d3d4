/** What the rules of `docs/rules.md` point at in the code: anchors in doc comments, and the declarations that bear them. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

export const root = path.resolve(import.meta.dirname, "../..");

/** An `@rule` in a doc comment. */
export interface Anchor {
  /** Rule and case, `CAP-2 csetbounds`. */
  readonly id: string;
  readonly source: string;
  /** From the root of the project. */
  readonly file: string;
  /** The declaration that the comment documents; a member of an object as `object.member`. */
  readonly name: string;
}

export const readSource = (file: string): string => readFileSync(path.join(root, file), "utf8");

const parse = (file: string, text: string): ts.SourceFile =>
  ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);

const anchorPattern = /@rule\s+(\S+ \S+)\s+@source\s+([^@]+)/g;

/** The text of a doc comment without its frame, on one line. */
const commentText = (comment: ts.JSDoc): string =>
  comment
    .getText()
    .replace(/^\/\*\*|\*\/$/g, "")
    .replace(/\n\s*\*/g, " ")
    .replace(/\s+/g, " ");

type Declaration = ts.FunctionDeclaration | ts.VariableDeclaration | ts.PropertyAssignment;

/** The functions and constants of a file, and the members of its object literals, by name. */
const declarations = (file: ts.SourceFile): ReadonlyMap<string, Declaration> => {
  const found = new Map<string, Declaration>();
  const members = (name: string, node: ts.Node): void => {
    if (ts.isPropertyAssignment(node)) found.set(`${name}.${node.name.getText()}`, node);
    node.forEachChild((child) => {
      members(name, child);
    });
  };
  for (const statement of file.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) found.set(statement.name.text, statement);
    if (!ts.isVariableStatement(statement)) continue;
    for (const declaration of statement.declarationList.declarations) {
      const name = declaration.name.getText();
      found.set(name, declaration);
      members(name, declaration);
    }
  }
  return found;
};

const docComments = (node: Declaration): readonly ts.JSDoc[] =>
  ts.getJSDocCommentsAndTags(node).filter((comment) => ts.isJSDoc(comment));

/** All anchors of a file. Throws if a comment has one that documents no declaration, or that cannot be read. */
export const anchorsOf = (file: string, text = readSource(file)): readonly Anchor[] => {
  const anchors = [...declarations(parse(file, text))].flatMap(([name, node]) =>
    docComments(node).flatMap((comment) =>
      [...commentText(comment).matchAll(anchorPattern)].map(([, id = "", source = ""]) => ({
        id,
        source: source.trim(),
        file,
        name,
      })),
    ),
  );
  const written = text.split("@rule").length - 1;
  if (anchors.length !== written) {
    throw new Error(`${file}: ${written} anchors, of which ${anchors.length} stand at a declaration and have a source`);
  }
  return anchors;
};

/** The text of a file with the body of one function, or the value of one constant, replaced by an expression. */
export const replaceByTrivial = (file: string, text: string, name: string, expression: string): string => {
  const declaration = declarations(parse(file, text)).get(name);
  if (declaration === undefined) throw new Error(`${file} declares no ${name}`);
  const value = ts.isFunctionDeclaration(declaration) ? declaration : declaration.initializer;
  const isFunction = value !== undefined && (ts.isArrowFunction(value) || ts.isFunctionDeclaration(value));
  const replaced = isFunction ? value.body : value;
  if (replaced === undefined) throw new Error(`${name} of ${file} has no body`);
  const trivial = isFunction ? `{ return (${expression}); }` : `(${expression})`;
  const changed = text.slice(0, replaced.getStart()) + trivial + text.slice(replaced.getEnd());
  if (changed === text) throw new Error(`${name} of ${file} is trivial already`);
  return changed;
};

/**
 * Where the rules of `docs/rules.md` have their code. A folder that is not listed may have anchors that the document does
 * not know yet.
 */
export const ruleFolders = ["spec/cheri", "spec/sfork", "spec/invariants"] as const;

export const ruleFiles: readonly string[] = ruleFolders.flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.posix.join(folder, file.replaceAll(path.sep, "/"))),
);
