/** How a command ends: exit codes of the contract, and one line for what a user got wrong. */

export const exitCodes = {
  held: 0,
  finding: 1,
  usage: 2,
  environment: 3,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
