/** Finds routes: whole paths first, then folders by their longest prefix. */
import type { Route } from './parts.ts';

/** A route that was found. */
export interface FoundRoute {
  readonly route: Route;
  /** What follows the folder, still percent-encoded. */
  readonly rest: string;
}

/** See the head of the file. */
export class Router {
  readonly #exact = new Map<string, Route>();
  readonly #folders: readonly (readonly [prefix: string, route: Route])[];

  /** Each map has keys of a method, a space and a path; a path that ends in a slash is a folder. */
  constructor(maps: readonly ReadonlyMap<string, Route>[]) {
    const folders: (readonly [string, Route])[] = [];
    for (const [key, route] of maps.flatMap((map) => [...map])) {
      if (key.endsWith('/')) folders.push([key, route]);
      else this.#exact.set(key, route);
    }
    this.#folders = folders.toSorted(([left], [right]) => right.length - left.length);
  }

  /** Finds the route of a request; what follows a question mark does not count. */
  find(method: string, url: string): FoundRoute | undefined {
    const query = url.indexOf('?');
    const key = `${method} ${query === -1 ? url : url.slice(0, query)}`;
    const exact = this.#exact.get(key);
    if (exact !== undefined) return { route: exact, rest: '' };
    const folder = this.#folders.find(([prefix]) => key.startsWith(prefix));
    return folder && { route: folder[1], rest: key.slice(folder[0].length) };
  }
}
