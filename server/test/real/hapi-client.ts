/** HAPI FHIR's client, which OpenMRS, OpenELIS and others have, against a running registry. */
import { join } from 'node:path';
import { compiled, type Java } from './java.ts';
import { atSite, type Site } from './site.ts';
import { claim, type Suite } from './suite.ts';

const folder = join(import.meta.dirname, 'hapi-client');

let programs: Promise<Java> | undefined;
const java = (): Promise<Java> => (programs ??= compiled(folder));

const argumentsAt = ({ port, certificates, samples }: Site): readonly string[] => [
  `https://localhost:${port}/fhir`,
  join(certificates, 'server_cert.pem'),
  join(samples, 'openmrs.p12'),
  join(samples, 'lims.p12'),
];

const walk = (encoding: string) => async (): Promise<string> => {
  const run = await java();
  return atSite(async (site) => {
    const printed = await run('Walk', ...argumentsAt(site), encoding);
    console.log(printed);
    claim(false, 'nothing is expected yet');
    return '';
  });
};

export const hapiClient: Suite = {
  name: 'hapi-client',
  tests: [{ title: 'xml', run: walk('xml') }, { title: 'json', run: walk('json') }, { title: 'default', run: walk('default') }],
};
