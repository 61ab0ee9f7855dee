/** Asks the operator API as an administrator's program does. */
import { isJsonObject, type JsonObject, parseJson } from '@immota/base';
import { createToken, type Platform } from '@immota/cloud';

const ANSWER_MAX_BYTES = 16_777_216;

/** Asks one route below `/api/v1/`: by POST when there is a body, by GET otherwise. */
export type Ask = (path: string, json?: unknown) => Promise<JsonObject>;

/** Makes a token and who asks with it. @returns what throws when an answer is not 2xx. */
export async function askerOf({ cloud, urls }: Platform): Promise<Ask> {
  const { token } = await createToken(cloud.context, {
    name: 'bench',
    role: 'admin',
    uploadsFor: [],
    ttlDays: 1,
  });
  return async (path, json) => {
    const response = await fetch(new URL(`/api/v1/${path}`, urls.operator), {
      method: json === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const answer = parseJson(new Uint8Array(await response.arrayBuffer()), ANSWER_MAX_BYTES);
    if (!response.ok || !isJsonObject(answer))
      throw new TypeError(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
}
