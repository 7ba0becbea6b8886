import type { Client, IssuedCertificate, Revocation } from '../../domain/principals.ts';
import type { ReviewTask } from '../../domain/review.ts';
import type { Connection } from './connection.ts';
import type { PasswordSkeleton, Placed } from './skeleton.ts';

const openTaskRows = (db: Connection) => {
  const close = db.prepare<[number, number]>('UPDATE task SET closed = ? WHERE key = ? AND closed IS NULL');
  const open = db.prepare<[number, string, number, string, number]>(
    'INSERT INTO task (key, kind, record, others, opened) VALUES (?, ?, ?, ?, ?)',
  );
  return {
    close: (sequence: number, key: number): void => {
      if (close.run(sequence, key).changes !== 1) throw new Error(`task ${key} is not open`);
    },
    open: (sequence: number, { key, kind, record, others }: ReviewTask): void =>
      void open.run(key, kind, record, JSON.stringify(others), sequence),
  };
};

const openClientRows = (db: Connection) => {
  const client = db.prepare<[string, string, string, string, number]>(
    'INSERT OR REPLACE INTO client (name, display_name, systems, scopes, disabled) VALUES (?, ?, ?, ?, ?)',
  );
  const certificate = db.prepare<[string, string, string, string]>(
    'INSERT OR REPLACE INTO certificate (fingerprint, client, serial, not_after) VALUES (?, ?, ?, ?)',
  );
  const revocation = db.prepare<[string, string, string]>('INSERT INTO revocation (client, at, fingerprints) VALUES (?, ?, ?)');
  return {
    client: ({ name, displayName, systems, scopes, disabled }: Client): void =>
      void client.run(name, displayName, JSON.stringify(systems), JSON.stringify(scopes), disabled ? 1 : 0),
    certificate: ({ fingerprint, client: of, serial, notAfter }: IssuedCertificate): void =>
      void certificate.run(fingerprint, of, serial, notAfter),
    revocation: ({ client: of, at, fingerprints }: Revocation): void => void revocation.run(of, at, JSON.stringify(fingerprints)),
  };
};

const openPasswordRows = (db: Connection) => {
  const set = db.prepare<[string, string, string | null]>(
    'INSERT OR REPLACE INTO password (client, seal, hash) VALUES (?, ?, ?)',
  );
  const remove = db.prepare<[string]>('DELETE FROM password WHERE client = ?');
  return ({ client, seal }: PasswordSkeleton, hash: string | null): void => {
    if (seal === null) remove.run(client);
    else set.run(client, seal, hash);
  };
};

/** Aliases, tasks, clients with their certificates, and the decision rules in force. */
export const openRegisterWriter = (db: Connection): ((placed: Placed) => void) => {
  const alias = db.prepare<[string, string, number]>('INSERT OR REPLACE INTO alias (id, client, record) VALUES (?, ?, ?)');
  const rules = db.prepare<[string, string, number]>(
    'INSERT OR REPLACE INTO rule_version (version, definition, since) VALUES (?, ?, ?)',
  );
  const useRules = db.prepare<[string]>('UPDATE meta SET rule_version = ?');
  const tasks = openTaskRows(db);
  const clients = openClientRows(db);
  const password = openPasswordRows(db);
  return ({ sequence, skeleton, hashes }) => {
    for (const { id, client, record } of skeleton.aliases) alias.run(id, client, record);
    for (const key of skeleton.tasksClosed) tasks.close(sequence, key);
    for (const task of skeleton.tasksOpened) tasks.open(sequence, task);
    skeleton.clients.forEach(clients.client);
    skeleton.certificates.forEach(clients.certificate);
    skeleton.revocations.forEach(clients.revocation);
    skeleton.passwords.forEach((one, index) => {
      password(one, hashes[index] ?? null);
    });
    if (skeleton.rules) {
      rules.run(skeleton.rules.version, skeleton.rules.definition, sequence);
      useRules.run(skeleton.rules.version);
    }
  };
};
