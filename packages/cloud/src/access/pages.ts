/** The few pages of sign-in: plain forms that work without scripts, in light and dark. */

/** What an address of a page is given besides its form. */
export interface FormPage {
  readonly title: string;
  /** Sentences above the form. */
  readonly says: readonly string[];
  /** What went wrong before. */
  readonly problem?: string | undefined;
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly fields: readonly FormField[];
  readonly button: string;
}

/** A field of a form. */
export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly type: 'email' | 'text' | 'password';
  readonly autocomplete: string;
  readonly hint?: string;
}

/** The style of the pages; they hold none themselves, so that the policy can forbid it. */
export const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#f4f5f7,#15181c);color:light-dark(#1b1f24,#e8eaed)}
main{width:min(24rem,calc(100vw - 2rem));padding:2rem;border-radius:.75rem;background:light-dark(#fff,#1f2329);box-shadow:0 1px 8px #0003;box-sizing:border-box}
h1{font-size:1.25rem;margin:0 0 1rem}label{display:block;margin:1rem 0 .25rem;font-weight:600}
input{width:100%;box-sizing:border-box;padding:.6rem;font:inherit;border:1px solid #8a919b;border-radius:.4rem;background:transparent;color:inherit}
small{display:block;color:light-dark(#4c535c,#b3bac4)}
button,a.button{display:block;width:100%;box-sizing:border-box;margin-top:1.5rem;padding:.7rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;border:0;border-radius:.4rem;background:#1558b0;color:#fff;cursor:pointer}
:focus-visible{outline:3px solid light-dark(#1558b0,#8ab4f8);outline-offset:2px}
[role=alert]{padding:.75rem;border-radius:.4rem;background:light-dark(#fde8e6,#4a1512);color:light-dark(#8a1c10,#ffd9d4)}
`;

/** Writes a page with a form. */
export function formPage(page: FormPage): string {
  const { title, says, problem, action, hidden, fields, button } = page;
  const kept = Object.entries(hidden).map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`,
  );
  return frame(
    title,
    [
      ...says.map((sentence) => `<p>${escape(sentence)}</p>`),
      ...(problem === undefined ? [] : [`<p role="alert">${escape(problem)}</p>`]),
      `<form method="post" action="${escape(action)}">`,
      ...kept,
      ...fields.map(fieldOf),
      `<button type="submit">${escape(button)}</button></form>`,
    ].join('\n'),
  );
}

/** Writes a page that says something, and where to go on. */
export function messagePage(
  title: string,
  sentence: string,
  next?: { readonly href: string; readonly text: string },
): string {
  const link =
    next === undefined
      ? ''
      : `<a class="button" href="${escape(next.href)}">${escape(next.text)}</a>`;
  return frame(title, `<p role="alert">${escape(sentence)}</p>\n${link}`);
}

function fieldOf({ name, label, type, autocomplete, hint }: FormField): string {
  const described = hint === undefined ? '' : ` aria-describedby="${name}-hint"`;
  const said = hint === undefined ? '' : `<small id="${name}-hint">${escape(hint)}</small>`;
  return `<label for="${name}">${escape(label)}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" maxlength="320" required${described}>${said}`;
}

function frame(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(title)} · Immota</title><link rel="stylesheet" href="/auth/style.css"></head>
<body><main><h1>${escape(title)}</h1>
${body}
</main></body></html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
