import type { RecordKey } from '../domain/identity.ts';
import type { Ledger, Reader } from '../registry/ports.ts';
import { RegistryError } from '../domain/errors.ts';

/** One CSV field (RFC 4180); a leading `=`, `+`, `-` or `@` is kept: it is data, and the file says so in its header row only. */
const field = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

const LINKS_HEADER = 'system,value,patient,cruid,origin,rule,score';

async function rowsOf(store: { ledger: Ledger; reader: Reader }, key: RecordKey): Promise<readonly string[]> {
  const stored = await store.reader.storedRecord(key);
  if (!stored) return [];
  const golden = await store.ledger.golden(stored.record.golden);
  const link = (await store.ledger.linksOf(key)).find((one) => one.until === null);
  if (!golden || !link) throw new RegistryError('internal', `record ${key} has no link in force: run ./opencr verify`);
  const rest = [
    stored.record.id,
    golden.id,
    link.origin,
    link.because?.ruleName ?? '',
    link.because ? String(link.because.score) : '',
  ];
  return stored.identifiers
    .filter((identifier) => identifier.names)
    .map(({ system, value }) => [system, value, ...rest].map(field).join(','));
}

/** Every source identifier with the CRUID it leads to, in order of the records' creation; lines without their end. */
export async function* exportLinks(store: { ledger: Ledger; reader: Reader }): AsyncIterable<string> {
  yield LINKS_HEADER;
  const { nextRecord } = await store.ledger.head();
  for (let key: RecordKey = 1; key < nextRecord; key++) yield* await rowsOf(store, key);
}
