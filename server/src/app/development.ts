import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { initAuthority, openAuthority, tlsFolder } from '../adapters/identity/authority.ts';
import { writeMissionPaths } from '../adapters/identity/development.ts';
import { lockDataFolder } from '../adapters/sql/lock.ts';
import { changeOf } from '../cli/clients.ts';
import type { ExitCode, Io } from '../cli/io.ts';
import type { ServeOptions } from '../cli/run.ts';
import { openAdministration } from './administration.ts';
import { requireFree } from './listen.ts';
import { projectRoot } from './project.ts';
import { readSettings } from './settings.ts';

/** Clients of the mission's examples: the default configuration registers them. */
const SAMPLES = ['openmrs', 'dhis2', 'lims'];

/**
 * `npm start`: on a fresh data folder a development CA, and the certificates at the paths of the mission's examples;
 * then the registry. What is there stays.
 */
export async function start(
  io: Io,
  options: ServeOptions,
  serve: (io: Io, options: ServeOptions) => Promise<ExitCode>,
): Promise<ExitCode> {
  const dataDir = resolve(options.data);
  const settings = readSettings(io, options);
  if (typeof settings === 'number') return settings;
  // A start that cannot succeed leaves the examples to the registry that they are of.
  lockDataFolder(dataDir, 'npm start').release();
  await requireFree({ ...settings.config.app, flag: '--port' });
  await requireFree({ ...settings.config.admin, flag: '--admin-port' });
  if (!existsSync(tlsFolder(dataDir))) {
    await initAuthority(dataDir, { development: true, hosts: [], now: new Date() });
    io.out(`Made a certificate authority for development in ${tlsFolder(dataDir)}: not for production.`);
  }
  const authority = await openAuthority(dataDir);
  if (authority.development) {
    const issued = await writeMissionPaths(authority, projectRoot, { clients: SAMPLES, now: new Date() });
    const administration = await openAdministration(dataDir, []);
    try {
      const known = new Set((await administration.certificates()).map((certificate) => certificate.fingerprint));
      const certificates = issued.filter((certificate) => !known.has(certificate.fingerprint));
      if (certificates.length > 0) await administration.administer(changeOf('development certificates', { certificates }));
    } finally {
      await administration.close();
    }
    io.out('Certificates of openmrs, dhis2 and lims are in server/sampleclientcertificates.');
  }
  return serve(io, options);
}
