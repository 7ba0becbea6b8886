import { userInfo } from 'node:os';

/** The account that runs a command, as the audit names it. */
export const operator = (): string => {
  try {
    return userInfo().username;
  } catch {
    // An account without a name (a container's arbitrary uid).
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
};
