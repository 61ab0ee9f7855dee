/** Small means: elements, requests, hashes. The page has no library, so that nothing is in it but this. */

/**
 * Makes an element. Text is set as text, never as markup.
 *
 * @param {string} tag - its name.
 * @param {Record<string, string | number | boolean | undefined | ((event: any) => unknown)>} props - attributes; `on…` listens, `false` and `undefined` leave out.
 * @param {...(Node | string | undefined)} children - in order.
 * @returns {HTMLElement} the element.
 */
export function element(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/**
 * Asks the vehicle.
 *
 * @param {string} path - below this server.
 * @param {Record<string, unknown>} [body] - posted as JSON; without it the path is fetched.
 * @returns {Promise<{ isGood: boolean, code: string, body: Record<string, unknown> }>} what came back.
 */
export async function request(path, body) {
  const headers = { 'content-type': 'application/json' };
  const options = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  try {
    const response = await fetch(path, options);
    const answer = await response.json();
    return { isGood: response.ok, code: response.ok ? '' : String(answer.code), body: answer };
  } catch {
    return { isGood: false, code: 'OTHER', body: {} };
  }
}

/**
 * Counts the hash of what was shown, so that the answer names what was read and not what was sent.
 *
 * @param {string} text - as it stands on the screen.
 * @returns {Promise<string>} SHA-256 in hex.
 */
export async function sha256(text) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Finds an element of the page's frame.
 *
 * @param {string} id - of the element.
 * @returns {HTMLElement} it.
 */
export function byId(id) {
  const found = document.querySelector(`#${id}`);
  if (found === null) throw new TypeError(`no element ${id}`);
  return found;
}
