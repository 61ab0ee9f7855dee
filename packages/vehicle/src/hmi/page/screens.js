/** Lays out what the vehicle says. Every word comes from there; nothing is decided here. */
import { element, sha256 } from './dom.js';

/**
 * @typedef {{
 *   labels: Record<string, any>,
 *   locale: string,
 *   act: (path: string, body: Record<string, unknown>) => Promise<void>,
 *   pair: (code: string) => Promise<void>,
 * }} Desk What screens act through.
 */

/**
 * Draws a screen.
 *
 * @param {Record<string, any>} screen - as the vehicle describes it.
 * @param {Desk} desk - what buttons act through.
 * @returns {HTMLElement} the content of the page.
 */
export function drawScreen(screen, desk) {
  if (screen.kind === 'question') return drawQuestion(screen, desk);
  if (screen.kind === 'progress') return drawProgress(screen);
  if (screen.kind === 'result') return drawResult(screen, desk);
  return drawMessage(screen, desk);
}

/**
 * Draws the field for a code.
 *
 * @param {Desk} desk - what the button acts through.
 * @returns {HTMLElement} the content of the page.
 */
export function drawPairing(desk) {
  const { labels } = desk;
  const field = element('input', {
    id: 'code',
    name: 'code',
    required: true,
    autocomplete: 'one-time-code',
    autocapitalize: 'characters',
    spellcheck: 'false',
    maxlength: 12,
    size: 10,
    'aria-describedby': 'pair-explanation',
  });
  const submit = (event) => {
    event.preventDefault();
    void desk.pair(field.value);
  };
  return element(
    'form',
    { class: 'calm pair', onsubmit: submit },
    headline(labels.pairHeadline),
    element('p', { id: 'pair-explanation' }, labels.pairExplanation),
    element('label', { for: 'code' }, labels.pairField),
    field,
    button(labels.pairButton, { type: 'submit', class: 'solid' }),
    problemLine(),
  );
}

/**
 * Draws what updates came to.
 *
 * @param {readonly Record<string, any>[]} entries - the newest first.
 * @param {Desk} desk - for its labels.
 * @returns {HTMLElement} the content of the page.
 */
export function drawHistory(entries, { labels }) {
  const list = entries.map((entry) =>
    element(
      'li',
      { class: 'card' },
      element(
        'div',
        { class: 'entry-head' },
        element('h2', {}, entry.title),
        element('p', { class: `ending ${entry.ending}` }, mark(entry.ending), entry.endingText),
      ),
      element('p', { class: 'quiet' }, entry.at),
      ...paragraphs(entry.sentences),
      ...titledList(labels.whatChanged, entry.changes, 'h3'),
      ...titledList(labels.manual, entry.manual, 'h3'),
      ...titledList(labels.decisions, entry.decisions, 'h3'),
    ),
  );
  return element(
    'section',
    { class: 'history' },
    headline(labels.history),
    entries.length === 0
      ? element('p', {}, labels.noHistory)
      : element('ol', { class: 'plain', reversed: true }, ...list),
  );
}

/**
 * Draws where codes for others are made.
 *
 * @param {readonly { role: string, name: string }[]} roles - for whom.
 * @param {Desk & { invite: (role: string) => Promise<string | undefined> }} desk - makes them.
 * @returns {HTMLElement} the content of the page.
 */
export function drawPeople(roles, desk) {
  const { labels } = desk;
  const shown = element('p', { class: 'code', role: 'status' });
  const make = async (role) => {
    const code = await desk.invite(role);
    if (code !== undefined) shown.replaceChildren(labels.invited, element('strong', {}, code));
  };
  return element(
    'section',
    { class: 'calm' },
    headline(labels.people),
    element('p', {}, labels.peopleExplanation),
    element('h2', { id: 'invite' }, labels.invite),
    element(
      'div',
      { class: 'choices', role: 'group', 'aria-labelledby': 'invite' },
      ...roles.map(({ role, name }) =>
        button(name, { class: 'outline', onclick: () => make(role) }),
      ),
    ),
    shown,
    problemLine(),
  );
}

/**
 * Brings a progress screen up to date in place, so that nothing flickers and nothing is read twice.
 *
 * @param {Record<string, any>} screen - the new state.
 * @returns {boolean} whether the page shows one.
 */
export function updateProgress(screen) {
  const bar = document.querySelector('.bar');
  if (bar === null || bar.dataset.headline !== screen.headline) return false;
  setBar(bar, screen);
  document.querySelector('#remaining').textContent = screen.remaining ?? '';
  document.querySelector('#progress-sentences').replaceChildren(...paragraphs(screen.sentences));
  return true;
}

/** A question: facts on one side, answers on the other; yes and no are alike in every respect. */
function drawQuestion(screen, desk) {
  const facts = screen.sections.map(({ heading, lines }) =>
    element('section', { class: 'fact' }, element('h2', {}, heading), ...paragraphs(lines)),
  );
  // What follows from waiting is read right before the answer.
  const terms = facts.at(-1);
  const ask = element('h2', { class: 'ask', id: 'ask' }, screen.ask);
  const title = headline(screen.title);
  const send = async (decision, when) => {
    const { correlationId, step } = screen;
    const textSha256 = await sha256(textOf(title, facts, ask));
    const time = when === undefined ? {} : { when };
    const answer = { correlationId, step, decision, locale: desk.locale, textSha256, ...time };
    await desk.act('/api/answer', answer);
  };
  return element(
    'article',
    { class: 'question' },
    element(
      'div',
      { class: 'about' },
      element(
        'div',
        { class: 'step-line' },
        element('p', { class: 'step' }, screen.stepLine),
        element('p', { class: `badge ${screen.badgeKind}` }, screen.badge),
      ),
      title,
      element('div', { class: 'facts' }, ...facts.slice(0, -1)),
    ),
    element(
      'div',
      { class: 'answers', role: 'group', 'aria-labelledby': 'ask' },
      terms,
      ask,
      screen.whoDecides === undefined
        ? drawAnswers(screen, desk, send)
        : element('p', { class: 'note' }, screen.whoDecides),
      problemLine(),
    ),
  );
}

function drawAnswers(screen, { labels }, send) {
  const panel = element('div', { class: 'panel', id: 'panel', hidden: true });
  const main = element(
    'div',
    { class: 'choices pair-of-two' },
    button(screen.accept, { class: 'solid', id: 'accept', onclick: () => send('accepted') }),
    button(labels.decline, { class: 'solid', id: 'decline', onclick: () => send('declined') }),
  );
  const open = (question, choices, pick) => {
    const close = button(labels.cancel, {
      class: 'outline',
      onclick: () => {
        panel.hidden = true;
        panel.replaceChildren();
        more.querySelector('button')?.focus();
      },
    });
    panel.replaceChildren(
      element('h3', { tabindex: -1 }, question),
      ...choices,
      ...timeField(screen, labels, pick),
      close,
    );
    panel.hidden = false;
    panel.querySelector('h3').focus();
    panel.scrollIntoView({ block: 'nearest' });
  };
  const otherTime = () =>
    open(
      labels.whenQuestion,
      screen.tonight === undefined
        ? []
        : [
            button(screen.tonight, {
              class: 'outline',
              onclick: () => send('accepted', 'tonight'),
            }),
          ],
      (when) => send('accepted', when),
    );
  const later = () =>
    open(
      labels.laterQuestion,
      [
        button(labels.inAnHour, { class: 'outline', onclick: () => send('postponed', 'hour') }),
        screen.mayPostponeToTomorrow
          ? button(labels.tomorrow, {
              class: 'outline',
              onclick: () => send('postponed', 'tomorrow'),
            })
          : undefined,
      ].filter((choice) => choice !== undefined),
      (when) => send('postponed', when),
    );
  const more = element(
    'div',
    { class: 'choices pair-of-two' },
    screen.mayPickTime
      ? button(labels.otherTime, { class: 'outline', 'aria-controls': 'panel', onclick: otherTime })
      : undefined,
    screen.mayPostpone
      ? button(labels.later, { class: 'outline', 'aria-controls': 'panel', onclick: later })
      : undefined,
  );
  return element('div', { class: 'answer-buttons' }, main, more, panel);
}

function timeField({ timeMin, timeMax }, labels, pick) {
  const field = element('input', {
    type: 'datetime-local',
    id: 'time',
    min: timeMin,
    max: timeMax,
    required: true,
  });
  const submit = (event) => {
    event.preventDefault();
    pick(field.value);
  };
  const form = element(
    'form',
    { class: 'time', onsubmit: submit },
    element('label', { for: 'time' }, labels.pickTime),
    field,
    button(labels.confirmTime, { type: 'submit', class: 'outline' }),
  );
  return [form];
}

/** The words as they stand on the screen, put together as the receipt names them. */
function textOf(title, facts, ask) {
  const parts = facts.flatMap((fact) => [...fact.children].map((child) => child.textContent));
  return [title.textContent, ...parts, ask.textContent].join('\n');
}

function drawProgress(screen) {
  const bar = element(
    'div',
    {
      class: 'bar',
      role: 'progressbar',
      'aria-labelledby': 'headline',
      'aria-describedby': 'remaining',
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'data-headline': screen.headline,
    },
    element('div', { class: 'fill' }),
  );
  setBar(bar, screen);
  return element(
    'section',
    { class: 'calm' },
    screen.stepLine === undefined ? undefined : element('p', { class: 'step' }, screen.stepLine),
    headline(screen.headline),
    bar,
    element('p', { class: 'remaining', id: 'remaining' }, screen.remaining ?? ''),
    element('div', { id: 'progress-sentences' }, ...paragraphs(screen.sentences)),
  );
}

function setBar(bar, { percent }) {
  bar.classList.toggle('unknown', percent === undefined);
  if (percent === undefined) {
    bar.removeAttribute('aria-valuenow');
    return;
  }
  bar.setAttribute('aria-valuenow', String(percent));
  // By a property and not by a style attribute: the page's policy lets no inline style in.
  bar.firstElementChild.style.inlineSize = `${percent}%`;
}

function drawResult(screen, desk) {
  const { labels } = desk;
  const done = () => desk.act('/api/dismiss', { sequence: screen.sequence });
  return element(
    'section',
    { class: `calm result ${screen.ending}` },
    element('p', { class: 'step' }, screen.title),
    element('div', { class: 'result-head' }, mark(screen.ending), headline(screen.headline)),
    ...paragraphs(screen.sentences),
    ...titledList(labels.whatChanged, screen.changes, 'h2'),
    ...titledList(labels.manual, screen.manual, 'h2'),
    button(labels.done, { class: 'solid', onclick: done }),
    problemLine(),
  );
}

function drawMessage(screen, desk) {
  const { correlationId, mayReconsider } = screen;
  const again = () => desk.act('/api/reconsider', { correlationId });
  const [first, ...others] = screen.sentences;
  const isList = screen.kind === 'waiting' && others.length > 0;
  return element(
    'section',
    { class: `calm ${screen.kind}` },
    headline(screen.headline),
    ...(isList
      ? [element('p', {}, first), element('ul', {}, ...others.map((one) => element('li', {}, one)))]
      : paragraphs(screen.sentences)),
    mayReconsider === true
      ? button(desk.labels.reconsider, { class: 'outline', onclick: again })
      : undefined,
    problemLine(),
  );
}

function headline(text) {
  return element('h1', { id: 'headline', tabindex: -1 }, text);
}

function paragraphs(lines) {
  return lines.map((line) => element('p', {}, line));
}

function titledList(title, lines, tag) {
  if (lines.length === 0) return [];
  const items = lines.map((line) => element('li', {}, line));
  return [element(tag, {}, title), element('ul', {}, ...items)];
}

function button(text, props) {
  return element('button', { type: 'button', ...props }, text);
}

/** Where a refusal is said; empty until then. */
function problemLine() {
  return element('p', { class: 'problem', role: 'alert' });
}

const MARKS = { success: '✓', unchanged: '↺', workshop: '!' };

function mark(ending) {
  return element('span', { class: `mark ${ending}`, 'aria-hidden': 'true' }, MARKS[ending]);
}
