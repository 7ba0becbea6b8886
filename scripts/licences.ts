import { readFileSync } from 'node:fs';

/** Licences that let anybody run, change and pass on what is built with the package, Apache-2.0 included. */
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  '(MIT OR Apache-2.0)',
  'Python-2.0',
  'WTFPL OR ISC',
]);

/** Packages with a licence of their own, read by a person: BSD-style with a request to cite, by the US National Library of Medicine. */
const read: Readonly<Record<string, string>> = {
  fhirpath: 'SEE LICENSE in LICENSE.md',
  '@lhncbc/ucum-lhc': 'SEE LICENSE IN LICENSE.md',
};

interface Locked {
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

export interface Licences {
  readonly packages: number;
  /** `package: licence` of those that nobody has allowed. */
  readonly refused: readonly string[];
}

/** The licences of all packages that run in service, as npm notes them in a lock file of version 3. */
export function licences(lockFile: string): Licences {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Readonly<Record<string, Locked>> };
  const inService = Object.entries(packages).filter(([path, { dev, link }]) => path.includes('node_modules/') && !dev && !link);
  const refused = inService.flatMap(([path, { license = 'none stated' }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return allowed.has(license) || read[name] === license ? [] : [`${name}: ${license}`];
  });
  return { packages: inService.length, refused };
}
