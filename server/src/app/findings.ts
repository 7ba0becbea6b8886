/** What `doctor` says of one thing that it looked at. */
import type { Issue } from '../domain/errors.ts';

export const ok = (diagnostics: string): Issue => ({ severity: 'information', diagnostics });
export const mind = (diagnostics: string): Issue => ({ severity: 'warning', diagnostics });
export const wrong = (diagnostics: string): Issue => ({ severity: 'error', diagnostics });
