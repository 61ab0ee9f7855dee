/** German. */
import type { ScreenWords } from './screen-words.ts';

/** See `ScreenWords`. */
export const GERMAN: ScreenWords = {
  labels: {
    product: 'Fahrzeugsoftware',
    skip: 'Zum Inhalt springen',
    language: 'Sprache',
    update: 'Update',
    history: 'Verlauf',
    noHistory: 'Es wurde noch kein Update installiert.',
    back: 'Zurück',
    pairHeadline: 'Diesen Bildschirm verbinden',
    pairExplanation:
      'Geben Sie den Code ein, den Ihr Fahrzeug anzeigt. Er gilt einmal und sagt dem Fahrzeug, wer Sie sind.',
    pairField: 'Code',
    pairButton: 'Verbinden',
    accept: {
      download: 'Ja, herunterladen',
      install: 'Ja, jetzt installieren',
      activate: 'Ja, jetzt neu starten',
    },
    decline: 'Nein',
    later: 'Später fragen',
    laterQuestion: 'Wann sollen wir wieder fragen?',
    inAnHour: 'In einer Stunde',
    tomorrow: 'Morgen um 8:00',
    whenQuestion: 'Wann soll es beginnen?',
    otherTime: 'Ja, zu anderer Zeit',
    pickTime: 'Datum und Uhrzeit am Fahrzeug',
    confirmTime: 'Diese Zeit bestätigen',
    cancel: 'Abbrechen',
    reconsider: 'Diese Entscheidung ändern',
    done: 'Fertig',
    signOut: 'Diesen Bildschirm trennen',
    whatChanged: 'Was sich geändert hat',
    manual: 'Im Handbuch nachlesen',
    decisions: 'Wer entschieden hat',
    offline: 'Die Verbindung zum Fahrzeug ist unterbrochen. Sie wird von selbst wieder aufgebaut.',
    sending: 'Einen Moment …',
    people: 'Personen',
    peopleExplanation:
      'Lassen Sie eine andere Person einen Bildschirm verbinden. Was sie entscheiden darf, hängt davon ab, wer sie ist.',
    invite: 'Code erstellen für',
    invited: 'Dieser Code gilt einmal:',
  },
  badges: {
    recall: 'Rückruf',
    safety: 'Verkehrssicherheit',
    security: 'Schutz vor Angriffen',
    improvement: 'Verbesserung',
  },
  steps: { download: 'Download', install: 'Installation', activate: 'Neustart' },
  stepOf: (number, name) => `Schritt ${number} von 3: ${name}`,
  youAre: (role) => `Sie sind verbunden als: ${role}.`,
  whoDecides: (roles) => `Sie können dies lesen. Entscheiden darf: ${roles}.`,
  joinOr: (names) => new Intl.ListFormat('de', { type: 'disjunction' }).format(names),
  tonight: (time) => `Ja, heute Nacht um ${time}`,
  driving: {
    headline: 'Gute Fahrt',
    sentences: [
      'Solange das Fahrzeug nicht geparkt ist, gibt es hier nichts zu lesen oder zu entscheiden.',
    ],
  },
  idle: {
    headline: 'Ihr Fahrzeug ist auf dem neuesten Stand',
    sentences: ['Es gibt nichts zu tun.'],
  },
  unchecked: {
    headline: 'Noch nichts bekannt',
    sentences: ['Das Fahrzeug hat noch nicht nach Updates gesehen. Es tut das von selbst.'],
  },
  lastChecked: (date) => `Zuletzt geprüft am ${date}.`,
  working: {
    download: {
      headline: 'Wird heruntergeladen',
      sentences: [
        'Sie können währenddessen fahren. Bricht die Verbindung ab, geht es dort weiter, wo es aufgehört hat.',
      ],
    },
    install: {
      headline: 'Wird im Hintergrund installiert',
      sentences: [
        'Sie können währenddessen fahren. Vor dem Neustart werden Sie noch einmal gefragt.',
      ],
    },
    activate: {
      headline: 'Neustart mit der neuen Software',
      sentences: [
        'Bitte lassen Sie das Fahrzeug geparkt. Bis zum Ende kann es nicht gefahren werden.',
        'Wenn etwas schiefgeht, kehrt das Fahrzeug zum vorherigen Stand zurück.',
      ],
    },
    'roll-back': {
      headline: 'Zurück zum vorherigen Stand',
      sentences: [
        'Ein Teil ist nicht wie erwartet gestartet, darum nimmt das Fahrzeug das Update von selbst zurück.',
        'Bitte lassen Sie das Fahrzeug bis zum Ende geparkt.',
      ],
    },
    check: {
      headline: 'Einen Moment',
      sentences: ['Das Fahrzeug prüft, ob das Update echt ist und passt.'],
    },
  },
  remaining: ({ low, high }) => {
    if (high <= 1) return 'Noch weniger als eine Minute';
    return low === high ? `Noch etwa ${high} Minuten` : `Noch ${low} bis ${high} Minuten`;
  },
  overdue:
    'Es dauert länger als erwartet. Nichts ist verloren; das Fahrzeug macht von selbst weiter.',
  interrupted: 'Das Fahrzeug wurde unterbrochen und bringt zu Ende, was es begonnen hat.',
  agreedFor: (step, date) => ({
    headline: step === 'activate' ? `Neustart am ${date}` : `Installation am ${date}`,
    sentences: [
      step === 'activate'
        ? 'Das Fahrzeug muss dann geparkt sein. Ist es das nicht, wartet es darauf.'
        : 'Bis dahin und währenddessen können Sie fahren. Vor dem Neustart werden Sie noch einmal gefragt.',
    ],
  }),
  postponedUntil: (date) => ({
    headline: 'Verschoben',
    sentences: [`Sie werden am ${date} wieder gefragt. Bis dahin bleibt das Fahrzeug, wie es ist.`],
  }),
  declined: {
    headline: 'Sie haben Nein gesagt',
    sentences: [
      'Das Fahrzeug bleibt, wie es ist. Zu diesem Update werden Sie nicht noch einmal gefragt.',
    ],
  },
  answered: {
    headline: 'Danke',
    sentences: [
      'Ihre Antwort ist notiert. Es geht weiter, sobald das Fahrzeug den Server des Herstellers erreicht.',
    ],
  },
  waiting: {
    conditions: {
      headline: 'Fast bereit für den Neustart',
      sentences: ['Es geht von selbst weiter, sobald Folgendes erfüllt ist:'],
    },
    campaign: {
      headline: 'Noch nicht ganz',
      sentences: [
        'Dieses Update verlangt etwas, das gerade nicht so ist, etwa eine vollere Batterie. Es geht von selbst weiter; Sie können fahren.',
      ],
    },
    unreadable: {
      headline: 'Das Update kann nicht beginnen',
      sentences: [
        'Das Fahrzeug versteht nicht, was dieses Update verlangt. Der Hersteller erfährt davon; Sie müssen nichts tun.',
      ],
    },
    hours: {
      headline: 'Das Update wartet auf seine Stunden',
      sentences: [
        'Der Hersteller lässt den Wechsel nur zu bestimmten Stunden zu. Dann geht es von selbst weiter; Sie können fahren.',
      ],
    },
    metered: {
      headline: 'Das Update wartet auf ein anderes Netz',
      sentences: [
        'Es wird nicht über mobile Daten geladen. Parken Sie, wo das Fahrzeug WLAN hat, dann geht es von selbst weiter.',
      ],
    },
    ended: {
      headline: 'Das Update wird nicht mehr angeboten',
      sentences: ['Seine Zeit ist um, und nichts wurde geändert. Sie müssen nichts tun.'],
    },
    network: {
      headline: 'Keine Verbindung',
      sentences: [
        'Das Fahrzeug erreicht den Server des Herstellers nicht. Es versucht es von selbst wieder; Sie können fahren.',
      ],
    },
    storage: {
      headline: 'Zu wenig Platz',
      sentences: [
        'Im Fahrzeug ist kein Platz für dieses Update. Sie können sicher fahren; eine Werkstatt kann helfen.',
      ],
    },
    ecu: {
      headline: 'Ein Teil antwortet nicht',
      sentences: [
        'Das Update wartet, bis jedes Teil des Fahrzeugs antwortet. Das Fahrzeug ist wie zuvor.',
        'Bleibt es dabei, sollte eine Werkstatt danach sehen.',
      ],
    },
    technician: {
      headline: 'Dafür braucht es eine Werkstatt',
      sentences: [
        'Einen Teil dieses Updates macht eine Fachkraft. Bitte vereinbaren Sie einen Termin.',
      ],
    },
    exhausted: {
      headline: 'Das Update ließ sich nicht installieren',
      sentences: [
        'Es wurde mehrmals versucht. Ihr Fahrzeug ist wie zuvor und sicher zu fahren.',
        'Der Hersteller weiß davon. Eine Werkstatt kann helfen.',
      ],
    },
    refused: {
      headline: 'Ein Update wurde abgelehnt',
      sentences: [
        'Seine Echtheit ließ sich nicht beweisen, darum wurde nichts installiert. Ihr Fahrzeug ist wie zuvor und sicher zu fahren.',
        'Der Hersteller erfährt davon. Sie müssen nichts tun.',
      ],
    },
    question: {
      headline: 'Eine Frage wartet auf Sie',
      sentences: [
        'Sie wird hier gestellt, sobald das Fahrzeug den Server des Herstellers erreicht.',
      ],
    },
    other: {
      headline: 'Das Update wartet',
      sentences: [
        'Das Fahrzeug versucht es von selbst wieder. Es ist wie zuvor und sicher zu fahren.',
      ],
    },
  },
  conditions: {
    'no-emergency-call': 'Es läuft kein Notruf.',
    'standing-still': 'Das Fahrzeug steht.',
    'gear-park': 'Die Parkstufe ist eingelegt.',
    'parking-brake': 'Die Feststellbremse ist angezogen.',
    'not-starting': 'Niemand startet das Fahrzeug.',
    'not-charging': 'Das Fahrzeug lädt gerade nicht.',
    voltage: 'Die 12-V-Batterie ist voll genug.',
    temperature: 'Es ist weder zu kalt noch zu heiß.',
    'hood-closed': 'Die Motorhaube ist geschlossen.',
  },
  otherCondition: 'Das Fahrzeug kann eine Weile entbehrt werden.',
  endings: (ending, ecus) => {
    if (ending === 'success') {
      return {
        headline: 'Das Update ist installiert',
        sentences: ['Jedes Teil ist mit seiner neuen Software gestartet und in Ordnung.'],
      };
    }
    if (ending === 'unchanged') {
      return {
        headline: 'Ihr Fahrzeug ist wie zuvor',
        sentences: [
          'Das Update ließ sich nicht installieren, und alles ist, wie es war. Das Fahrzeug ist sicher zu fahren.',
          'Der Hersteller weiß davon. Sie müssen nichts tun.',
        ],
      };
    }
    return {
      headline: 'Ihr Fahrzeug braucht eine Werkstatt',
      sentences: [
        `Dieses Teil ist weder sicher auf der neuen noch auf der alten Software: ${ecus}.`,
        'Bitte fahren Sie nicht. Rufen Sie Ihre Werkstatt oder den Pannendienst und zeigen Sie diese Seite.',
      ],
    };
  },
  earlier: 'Früher',
  endingShort: {
    success: 'Installiert',
    unchanged: 'Nicht installiert; wie zuvor',
    workshop: 'Werkstatt nötig',
  },
  decisionShort: { accepted: 'Ja', declined: 'Nein', postponed: 'später' },
  refusals: {
    PAIRING_CODE: 'Das ist nicht der Code. Bitte sehen Sie nach; vielleicht gibt es einen neuen.',
    SESSION: 'Dieser Bildschirm ist nicht mehr verbunden.',
    RATE: 'Zu viele Versuche. Bitte warten Sie eine Minute.',
    CROSS_SITE: 'Das kam nicht von dieser Seite, darum ist nichts geschehen.',
    DRIVING: 'Das Fahrzeug ist nicht geparkt. Nichts wurde geändert.',
    NOT_AUTHORISED: 'Das dürfen Sie nicht entscheiden. Nichts wurde geändert.',
    POSTPONE_BUDGET: 'Es lässt sich nicht weiter verschieben. Ja oder Nein geht weiterhin.',
    TIME_NOT_ALLOWED: 'Diese Zeit ist nicht wählbar. Bitte nehmen Sie eine andere.',
    TEXT_CHANGED: 'Die Frage hat sich inzwischen geändert. Bitte lesen Sie sie noch einmal.',
    NOT_ASKED: 'Danach wird nicht mehr gefragt.',
    OTHER: 'Das hat nicht geklappt. Nichts wurde geändert.',
  },
};
