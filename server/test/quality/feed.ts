import { certificateOf, type RegistryOptions, startRegistry } from '../support/registry-server.ts';

/** Runs a registry on a data folder and submits the patients one after the other, as openmrs over one connection. */
export async function feed(patients: readonly object[], options: RegistryOptions & { readonly dataDir: string }): Promise<void> {
  const registry = await startRegistry(options);
  try {
    const client = registry.agent({ ...(await certificateOf('openmrs')), maxSockets: 1 });
    for (const [place, body] of patients.entries()) {
      const { status } = await registry.send('POST', '/fhir/Patient', { body, client });
      if (status !== 201) throw new Error(`arrival ${place + 1} was answered with ${status}`);
    }
  } finally {
    await registry.stop();
  }
}
