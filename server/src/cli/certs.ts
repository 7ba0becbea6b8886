import { RegistryError } from '../domain/errors.ts';
import type { IssuedCertificate, Revocation } from '../domain/principals.ts';
import type { Administration } from './administration.ts';
import { changeOf, registered } from './clients.ts';
import { EXIT, type ExitCode, type Io, table } from './io.ts';

/** Makes certificates from the authority of a data folder. */
export interface CertificateMaker {
  /** Writes NAME.cert.pem, NAME.key.pem, NAME.p12 and ca.pem into the folder. */
  issue(name: string, outDir: string): Promise<IssuedCertificate>;
}

/** Issues a certificate and registers its client, so that it may call at once. */
export async function issueCertificate(
  io: Io,
  administration: Administration,
  order: { readonly maker: CertificateMaker; readonly name: string; readonly outDir: string },
): Promise<ExitCode> {
  const { maker, name, outDir } = order;
  const clients = await administration.clients();
  const known = clients.find((client) => client.name === name);
  if (known?.disabled) throw new RegistryError('conflict', `${name} is disabled: ./opencr clients add ${name} enables it again.`);
  const client = registered(clients, { name, systems: [], scopes: [] });
  const certificate = await maker.issue(name, outDir);
  const change = { clients: known ? [] : [client], certificates: [certificate] };
  await administration.administer(changeOf(`certs issue ${name}`, change));
  io.out(
    `${name}.cert.pem, ${name}.key.pem, ${name}.p12 (empty password) and ca.pem are in ${outDir}, valid until ${certificate.notAfter}.`,
  );
  if (client.systems.length === 0) io.out(`${name} owns no system yet: ./opencr clients add ${name} --system URI gives it one.`);
  return EXIT.done;
}

const stateOf = (certificate: IssuedCertificate, revocations: readonly Revocation[], now: string): string => {
  if (revocations.some((revocation) => revocation.fingerprints.includes(certificate.fingerprint))) return 'revoked';
  return certificate.notAfter < now ? 'expired' : 'valid';
};

export async function listCertificates(io: Io, administration: Administration, now: string): Promise<ExitCode> {
  const revocations = await administration.revocations();
  const rows = (await administration.certificates()).map((certificate) => [
    certificate.client,
    stateOf(certificate, revocations, now),
    certificate.notAfter.slice(0, 10),
    certificate.serial,
    certificate.fingerprint,
  ]);
  for (const line of table([['client', 'state', 'until', 'serial', 'sha256'], ...rows])) io.out(line);
  return EXIT.done;
}

/** Ends every certificate of the client that is in use now, whoever made it; one issued later is good again. */
export async function revokeCertificates(io: Io, administration: Administration, name: string, now: string): Promise<ExitCode> {
  const own = (await administration.certificates()).filter((certificate) => certificate.client === name);
  if (own.length === 0 && !(await administration.clients()).some((client) => client.name === name)) {
    throw new RegistryError('not-found', `No client ${name} is registered.`);
  }
  const revocation: Revocation = { client: name, at: now, fingerprints: own.map((certificate) => certificate.fingerprint) };
  await administration.administer(changeOf(`certs revoke ${name}`, { revocations: [revocation] }));
  io.out(`Every certificate of ${name} made until now is refused from its next request on.`);
  return EXIT.done;
}
