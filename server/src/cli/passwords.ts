import { RegistryError } from '../domain/errors.ts';
import type { Administration } from './administration.ts';
import { changeOf } from './clients.ts';
import { EXIT, type ExitCode, type Io } from './io.ts';

/** Makes, reads and hides passwords. */
export interface PasswordMaker {
  generate(): string;
  /** What may be kept of a password. */
  hash(password: string): Promise<string>;
  /** Whether everybody knows it. */
  isPublished(password: string): boolean;
  /** The first line of standard input, without its end. */
  read(): Promise<string>;
}

/** Where the password comes from; `none` takes it away. */
export type PasswordSource = 'generated' | 'stdin' | 'none';

const SHORTEST = 12;
const LONGEST = 256;
const CONTROL = /[\u0000-\u001f\u007f]/;

const objection = (password: string, maker: PasswordMaker): string | undefined => {
  if (password.length < SHORTEST || password.length > LONGEST) return `A password has ${SHORTEST} to ${LONGEST} characters.`;
  if (CONTROL.test(password)) return 'A password has no control characters.';
  return maker.isPublished(password) ? 'This password is published with OpenCR 1.x; take another one.' : undefined;
};

async function given(maker: PasswordMaker): Promise<string> {
  const password = await maker.read();
  const words = objection(password, maker);
  if (words !== undefined) throw new RegistryError('invalid-request', words);
  return password;
}

/** The password is printed once where it was made here, and kept nowhere but as its hash. */
export async function setPassword(
  io: Io,
  administration: Administration,
  order: { readonly maker: PasswordMaker; readonly name: string; readonly source: PasswordSource },
): Promise<ExitCode> {
  const { maker, name, source } = order;
  const client = (await administration.clients()).find((one) => one.name === name);
  if (!client) throw new RegistryError('not-found', `No client ${name} is registered.`);
  if (name.includes(':') && source !== 'none')
    throw new RegistryError('invalid-request', 'A client whose name holds a colon cannot log in with a password.');
  if (source === 'none') {
    await administration.administer(changeOf(`clients password ${name} --remove`, { passwords: [{ client: name, hash: null }] }));
    io.out(`${name} has no password any more: its next login is refused.`);
    return EXIT.done;
  }
  const password = source === 'generated' ? maker.generate() : await given(maker);
  const passwords = [{ client: name, hash: await maker.hash(password) }];
  await administration.administer(changeOf(`clients password ${name}`, { passwords }));
  if (source === 'generated') io.out(password);
  io.err(
    `The password of ${name} is set${source === 'generated' ? '; it is shown this once' : ''}, and the one before ended. It works where basic.enabled is true.`,
  );
  return EXIT.done;
}
