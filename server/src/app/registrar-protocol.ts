import type { Issue, ErrorCode } from '../domain/errors.ts';
import type { RuleSet } from '../matching/model.ts';
import type { Command, CommandResult } from '../registry/commands.ts';
import type { Progress } from '../registry/prepare.ts';
import type { BatchReport, RegistrarLimits } from '../registry/registrar.ts';

/** How the registrar's thread is started. */
export interface RegistrarSetup {
  readonly dataDir: string;
  readonly rules: RuleSet;
  readonly limits: RegistrarLimits;
  readonly minFreeBytes: number;
}

/** To the thread. `close`: finish what was accepted, then end. */
export type ToRegistrar =
  { readonly kind: 'command'; readonly id: number; readonly command: Command } | { readonly kind: 'close' };

export interface FailedCommand {
  readonly kind: 'failed';
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];
}

/** From the thread. The answers of a batch come in one message. */
export type FromRegistrar =
  | {
      readonly kind: 'answers';
      readonly answers: readonly { readonly id: number; readonly result: CommandResult | FailedCommand }[];
    }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'ready'; readonly records: number }
  | {
      readonly kind: 'batch';
      readonly report: BatchReport;
      readonly sequence: number;
      readonly hash: string;
      readonly walBytes: number;
      readonly records: number;
    }
  | { readonly kind: 'warning'; readonly words: string }
  | { readonly kind: 'closed'; readonly sequence: number; readonly hash: string };
