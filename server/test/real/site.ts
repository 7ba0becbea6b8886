import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { openAuthority } from '../../src/adapters/identity/authority.ts';
import { writeMissionPaths } from '../../src/adapters/identity/development.ts';
import { inFolder } from './folder.ts';
import { command, root, serve } from './server-process.ts';

/** A registry with the paths of the mission's examples, in a folder of its own. */
export interface Site {
  readonly folder: string;
  readonly server: string;
  readonly certificates: string;
  readonly samples: string;
  readonly port: number;
}

/** Runs with such a registry, which ends afterwards. */
export async function atSite(run: (site: Site) => Promise<string>): Promise<string> {
  return inFolder(async (folder) => {
    const dataDir = join(folder, 'data');
    await command('certs', 'init', '--data', dataDir, '--development');
    await writeMissionPaths(await openAuthority(dataDir), folder, { clients: ['openmrs', 'lims'], now: new Date() });
    for (const path of ['DemoData', 'examples']) cpSync(join(root, path), join(folder, path), { recursive: true });
    const process = await serve(dataDir);
    const server = join(folder, 'server');
    const site = {
      folder,
      server,
      certificates: join(server, 'certificates'),
      samples: join(server, 'sampleclientcertificates'),
    };
    try {
      return await run({ ...site, port: process.port });
    } finally {
      await process.end('SIGTERM');
    }
  });
}
