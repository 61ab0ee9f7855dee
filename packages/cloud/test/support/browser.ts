/** A browser as far as signing in needs one: it keeps cookies by host, and follows where it is sent. */

/** What a page answered. */
export interface Page {
  readonly status: number;
  readonly url: URL;
  readonly headers: Headers;
  readonly text: string;
}

/** See the head of the file. */
export class Browser {
  readonly #jar = new Map<string, Map<string, string>>();

  /** The cookies that it would send to a place. */
  cookies(url: string | URL): ReadonlyMap<string, string> {
    return this.#jar.get(new URL(url).host) ?? new Map();
  }

  /** Puts a cookie into it, as a thief would. */
  setCookie(url: string | URL, name: string, value: string): void {
    const { host } = new URL(url);
    const jar = this.#jar.get(host) ?? new Map<string, string>();
    jar.set(name, value);
    this.#jar.set(host, jar);
  }

  /** Asks once, and goes nowhere. */
  async ask(url: string | URL, init: RequestInit = {}): Promise<Page> {
    const headers = new Headers(init.headers);
    const cookies = [...this.cookies(url)].map(([name, value]) => `${name}=${value}`);
    if (cookies.length > 0) headers.set('cookie', cookies.join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';', 1);
      const at = pair.indexOf('=');
      this.setCookie(url, pair.slice(0, at), pair.slice(at + 1));
    }
    return {
      status: response.status,
      url: new URL(url),
      headers: response.headers,
      text: await response.text(),
    };
  }

  /** Asks, and goes where it is sent until a page answers, or the next place is one to stop before. */
  async go(
    url: string | URL,
    init: RequestInit = {},
    isStop: (next: URL) => boolean = () => false,
  ): Promise<Page> {
    let page = await this.ask(url, init);
    for (let count = 0; count < 10; count += 1) {
      const location = page.headers.get('location');
      if (location === null) return page;
      const next = new URL(location, page.url);
      if (isStop(next)) return { ...page, url: next };
      page = await this.ask(next);
    }
    throw new RangeError('sent around too often');
  }

  /** Sends a page's form. */
  async submit(
    page: Page,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    const action = /<form method="post" action="([^"]*)"/.exec(page.text)?.[1] ?? '';
    const hidden = page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g);
    const body = new URLSearchParams(
      [...hidden].map(([, name = '', value = '']) => [name, value] as [string, string]),
    );
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    const place = new URL(action, page.url);
    return await this.ask(place, {
      method: 'POST',
      body,
      headers: { origin: place.origin, ...headers },
    });
  }
}
