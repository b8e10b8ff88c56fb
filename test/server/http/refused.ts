import { Value } from 'typebox/value';
import { expect } from 'vitest';
import { ErrorReply } from '../../../src/protocol/rest.ts';
import { rest } from '../../support/signaling.ts';

/** Status and error of a request that fails; the reply has the shape of every error. */
export async function refused(
  base: string,
  method: string,
  path: string,
  options: Parameters<typeof rest>[3] = {},
) {
  const { status, body, headers } = await rest<ErrorReply>(base, method, path, options);
  expect(Value.Check(ErrorReply, body)).toBe(true);
  expect(headers.get('content-type')).toContain('application/json');
  return { status, ...body.error };
}
