import type { Adjudication, Link, Pair } from '../../domain/links.ts';
import type { Connection } from './connection.ts';
import type { Placed } from './skeleton.ts';
import type { Words } from './words.ts';

const openLinkRows = (db: Connection, words: Words) => {
  const end = db.prepare<[number, number, number]>(
    'UPDATE link SET until_seq = ? WHERE record = ? AND golden = ? AND until_seq IS NULL',
  );
  const held = db.prepare<[number], number>('SELECT golden FROM link WHERE record = ? AND until_seq IS NULL').pluck();
  const begin = db.prepare<[number, number, number, string, number, string | null]>(
    'INSERT INTO link (record, from_seq, golden, origin, rule_version, because) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return {
    end: (sequence: number, { record, golden }: { readonly record: number; readonly golden: number }): void => {
      const ended = end.run(sequence, record, golden).changes;
      if (ended !== 1) throw new Error(`record ${record} is not linked to golden record ${golden}`);
    },
    begin: (sequence: number, { record, golden, origin, ruleVersion, because }: Link): void => {
      const already = held.get(record);
      if (already !== undefined) throw new Error(`record ${record} is already linked to golden record ${already}`);
      begin.run(record, sequence, golden, origin, words.number(ruleVersion), because && JSON.stringify(because));
    },
  };
};

const openPairRows = (db: Connection) => {
  const end = db.prepare<[number, number]>('DELETE FROM pair WHERE a = ? AND b = ?');
  const begin = db.prepare<[number, number, number, string]>(
    'INSERT OR REPLACE INTO pair (a, b, since, verdict) VALUES (?, ?, ?, ?)',
  );
  const adjudicate = db.prepare<[number, number, number, string, string, number | null]>(
    'INSERT OR REPLACE INTO adjudication (a, b, since, verdict, "by", golden) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return {
    end,
    begin: (sequence: number, { a, b, ...verdict }: Pair): void => void begin.run(a, b, sequence, JSON.stringify(verdict)),
    adjudicate: (sequence: number, { a, b, verdict, by, golden }: Adjudication): void =>
      void adjudicate.run(a, b, sequence, verdict, by, golden),
  };
};

/** Links, pairs and people's decisions. Ends come before beginnings, so that one change set may replace. */
export const openLinkWriter = (db: Connection, words: Words): ((placed: Placed) => void) => {
  const links = openLinkRows(db, words);
  const pairs = openPairRows(db);
  return ({ sequence, skeleton }) => {
    for (const link of skeleton.linksEnded) links.end(sequence, link);
    for (const link of skeleton.linksBegun) links.begin(sequence, link);
    for (const { a, b } of skeleton.pairsEnded) pairs.end.run(a, b);
    for (const pair of skeleton.pairsBegun) pairs.begin(sequence, pair);
    for (const adjudication of skeleton.adjudications) pairs.adjudicate(sequence, adjudication);
  };
};
