/**
 * The specification of CHERI capabilities: values, six formats, operations, tagged memory and access checks.
 *
 * Reading order: capability, permissions, concentrate, formats/, operations, sealing, inspection, relocation, memory,
 * access, copy, jumps.
 */
export * from "./access.js";
export * from "./capability.js";
export * from "./copy.js";
export { formats } from "./formats/index.js";
export { legalisePermissions } from "./formats/rvy-legal.js";
export * from "./inspection.js";
export * from "./jumps.js";
export * from "./memory.js";
export * from "./operations.js";
export * from "./permissions.js";
export * from "./relocation.js";
export * from "./sealing.js";
