/** What the registrar's thread did, of the server's own metrics (sums since its start). */
export interface BatchSums {
  readonly batches: number;
  readonly commands: number;
  readonly decideSeconds: number;
  readonly commitSeconds: number;
}

const valueOf = (text: string, name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);

const metricsAt = async (adminPort: number): Promise<string> => (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();

/** The sums once `commands` have been counted: a batch is reported just after it is answered. */
export async function batchSums(adminPort: number, commands: number): Promise<BatchSums> {
  for (;;) {
    const text = await metricsAt(adminPort);
    const counted = valueOf(text, 'opencr_batch_commands_sum');
    if (counted < commands) continue;
    return {
      batches: valueOf(text, 'opencr_batch_commands_count'),
      commands: counted,
      decideSeconds: valueOf(text, 'opencr_batch_decide_seconds_sum'),
      commitSeconds: valueOf(text, 'opencr_batch_commit_seconds_sum'),
    };
  }
}

export const residentBytes = async (adminPort: number): Promise<number> =>
  valueOf(await metricsAt(adminPort), 'opencr_process_resident_memory_bytes');
