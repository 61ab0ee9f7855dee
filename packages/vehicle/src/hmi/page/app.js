/** The page: which screen is shown, in which language, and what the vehicle pushes. */
import { byId, element, request } from './dom.js';
import { drawHistory, drawPairing, drawPeople, drawScreen, updateProgress } from './screens.js';

const LANGUAGES = new Set(['en', 'de', 'zh']);
const LANGUAGE_KEY = 'language';
const CODE = /^#([0-9A-Za-z]{4}-[0-9A-Za-z]{4})$/u;
/** After this long without a word of the vehicle people are told. */
const OFFLINE_MS = 4000;

const state = {
  locale: firstLanguage(),
  words: undefined,
  view: undefined,
  events: undefined,
  /** What stands on the page; the same is not drawn again. */
  shown: '',
  offlineTimer: undefined,
  isBusy: false,
};

await begin();

async function begin() {
  byId('language').value = state.locale;
  byId('language').addEventListener('change', (event) => {
    void changeLanguage(event.target.value);
  });
  addEventListener('hashchange', () => {
    void (CODE.test(location.hash) ? pairByAddress() : showRoute(true));
  });
  byId('skip').addEventListener('click', (event) => {
    event.preventDefault();
    byId('main').focus();
  });
  await loadWords();
  await (CODE.test(location.hash) ? pairByAddress() : connect());
}

/** Takes the code out of the address: it is used up then, and shall not stay there. */
async function pairByAddress() {
  const [, code = ''] = CODE.exec(location.hash) ?? [];
  history.replaceState(undefined, '', '/');
  await pair(code);
}

function firstLanguage() {
  const wanted = localStorage.getItem(LANGUAGE_KEY) ?? navigator.language.slice(0, 2);
  return LANGUAGES.has(wanted) ? wanted : 'en';
}

async function changeLanguage(locale) {
  state.locale = locale;
  localStorage.setItem(LANGUAGE_KEY, locale);
  state.shown = '';
  await loadWords();
  await connect();
}

/** Words without a session: for the frame and for the field of the code. */
async function loadWords() {
  const { isGood, body } = await request(`/api/words?locale=${state.locale}`);
  if (!isGood) {
    showOffline(true);
    return;
  }
  state.words = body;
  const { labels } = body;
  document.documentElement.lang = state.locale;
  document.title = labels.product;
  byId('product').textContent = labels.product;
  byId('skip').textContent = labels.skip;
  byId('language-label').textContent = labels.language;
  byId('offline').textContent = labels.offline;
}

async function connect() {
  state.events?.close();
  const { isGood, code, body } = await request(`/api/view?locale=${state.locale}`);
  if (!isGood) {
    if (code === 'SESSION') showPairing();
    else showOffline(true);
    if (code !== 'SESSION') setTimeout(() => void connect(), OFFLINE_MS);
    return;
  }
  take(body);
  listen();
}

function listen() {
  const events = new EventSource(`/api/events?locale=${state.locale}`);
  state.events = events;
  events.addEventListener('open', () => showOffline(false));
  // oxlint-disable-next-line house/no-json-parse -- in a browser, from its own server
  events.addEventListener('message', ({ data }) => take(JSON.parse(data)));
  events.addEventListener('error', () => {
    // The browser tries again by itself, unless it was refused for good.
    showOffline(true);
    if (events.readyState === EventSource.CLOSED) setTimeout(() => void connect(), OFFLINE_MS);
  });
}

function take(view) {
  state.view = view;
  showFrame(view);
  void showRoute(false);
}

function showFrame({ labels, roleLine, invitable }) {
  const route = routeOf();
  const link = (hash, text) =>
    element('a', { href: hash, 'aria-current': route === hash ? 'page' : undefined }, text);
  const nav = byId('nav');
  nav.hidden = false;
  nav.replaceChildren(
    link('#update', labels.update),
    link('#history', labels.history),
    ...(invitable.length === 0 ? [] : [link('#people', labels.people)]),
  );
  const footer = byId('footer');
  footer.hidden = false;
  const leave = element(
    'button',
    { type: 'button', class: 'quiet', onclick: signOut },
    labels.signOut,
  );
  footer.replaceChildren(element('p', {}, roleLine), leave);
}

function routeOf() {
  return ['#history', '#people'].includes(location.hash) ? location.hash : '#update';
}

async function showRoute(isAsked) {
  if (state.view === undefined) return;
  if (isAsked) showFrame(state.view);
  const route = routeOf();
  if (route === '#update') {
    showScreen(state.view.screen, isAsked);
    return;
  }
  if (!isAsked && state.shown.startsWith(route)) return;
  if (route === '#people') {
    show(`${route} ${state.locale}`, drawPeople(state.view.invitable, desk()), isAsked);
    return;
  }
  const { isGood, body } = await request(`/api/history?locale=${state.locale}`);
  if (isGood) show(`${route} ${state.locale}`, drawHistory(body, desk()), isAsked);
}

function showScreen(screen, isAsked) {
  // The bounds of a picked time move on with the clock; nobody is to lose a half-made choice for that.
  const { timeMin: _from, timeMax: _to, ...stable } = screen;
  const key = `#update ${state.locale} ${JSON.stringify(stable)}`;
  if (key === state.shown && !isAsked) return;
  if (screen.kind === 'progress' && state.shown.startsWith('#update') && updateProgress(screen)) {
    state.shown = key;
    announce(screen.remaining ?? '');
    return;
  }
  show(key, drawScreen(screen, desk()), isAsked);
  announce(screen.headline ?? screen.title);
}

function show(key, content, isAsked) {
  const main = byId('main');
  const hadFocus = main.contains(document.activeElement) && document.activeElement !== main;
  state.shown = key;
  main.replaceChildren(content);
  // Whoever has just acted goes on from the new headline; nobody else is interrupted.
  if (isAsked || hadFocus || state.isBusy) document.querySelector('#headline')?.focus();
}

function showPairing() {
  state.view = undefined;
  byId('nav').hidden = true;
  byId('footer').hidden = true;
  show(`pairing ${state.locale}`, drawPairing(desk()), false);
}

function desk() {
  const { labels } = state.words;
  return { labels, locale: state.locale, act, pair, invite };
}

async function pair(code) {
  const { isGood, code: refusal } = await request('/api/pair', { code });
  if (isGood) {
    await connect();
    return;
  }
  if (document.querySelector('#code') === null) await connect();
  say(refusal);
}

/** One thing at a time: a second tap on the same button is no second answer. */
async function act(path, body) {
  if (state.isBusy) return;
  state.isBusy = true;
  announce(state.words.labels.sending);
  try {
    const { isGood, code } = await request(path, body);
    if (code === 'SESSION') showPairing();
    if (!isGood) {
      say(code);
      return;
    }
    const { isGood: isDrawn, body: view } = await request(`/api/view?locale=${state.locale}`);
    if (isDrawn) take(view);
  } finally {
    state.isBusy = false;
  }
}

async function invite(role) {
  const { isGood, code, body } = await request('/api/invite', { role });
  if (isGood) return body.code;
  say(code);
  return undefined;
}

async function signOut() {
  await request('/api/sign-out', {});
  state.events?.close();
  showPairing();
}

function say(code) {
  const { refusals } = state.words;
  const line = document.querySelector('.problem');
  if (line !== null) line.textContent = refusals[code] ?? refusals.OTHER;
}

function announce(text) {
  const status = byId('status');
  if (status.textContent !== text) status.textContent = text;
}

/** Attempts that fail one after the other are one loss of the connection. */
function showOffline(isOffline) {
  const line = byId('offline');
  if (isOffline) {
    state.offlineTimer ??= setTimeout(() => (line.hidden = false), OFFLINE_MS);
    return;
  }
  clearTimeout(state.offlineTimer);
  state.offlineTimer = undefined;
  line.hidden = true;
}
