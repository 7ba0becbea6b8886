import { describe, expect, it } from 'vitest';
import type { Client } from '../domain/principals.ts';
import { effectiveClients } from './registered.ts';

const configured: Client = {
  name: 'emr',
  displayName: 'The EMR',
  systems: ['http://emr.org'],
  scopes: ['demographics'],
  disabled: false,
};
const recorded: Client = { name: 'emr', displayName: 'emr', systems: ['http://emr.org/2'], scopes: ['audit'], disabled: true };

describe('a client that the configuration and the ledger both know', () => {
  it('keeps the systems, the scopes and the name of the configuration when a command records more', () => {
    expect(effectiveClients([configured], [recorded])).toEqual([
      {
        name: 'emr',
        displayName: 'The EMR',
        systems: ['http://emr.org', 'http://emr.org/2'],
        scopes: ['audit', 'demographics'],
        disabled: true,
      },
    ]);
  });

  it('leaves those that only one of them knows as they are', () => {
    const other = { ...recorded, name: 'lab' };
    expect(effectiveClients([configured], [other])).toEqual([configured, other]);
  });
});
