/** German. */
import type { ConsentWords, Minutes } from './consent-words.ts';

const range = ({ low, high }: Minutes): string =>
  low === high ? `etwa ${plural(high)}` : `${low} bis ${plural(high)}`;

function plural(minutes: number): string {
  return minutes === 1 ? '1 Minute' : `${minutes} Minuten`;
}

/** See `ConsentWords`. */
export const GERMAN: ConsentWords = {
  nothingWritten: 'Für Ihr Fahrzeug gibt es eine neue Software.',
  headings: {
    purpose: 'Warum',
    changes: 'Was sich ändert',
    time: 'Wie lange es dauert',
    unavailable: 'Was währenddessen nicht geht',
    instructions: 'Was Sie tun sollten',
    terms: 'Wenn Sie warten',
  },
  purposes: {
    recall: 'Rückruf: Ein Mangel wird behoben, den der Hersteller den Behörden gemeldet hat.',
    safety: 'Sicherheit im Verkehr: Das Fahrzeug wird sicherer.',
    security: 'Schutz vor Angriffen: Eine Lücke wird geschlossen.',
    improvement: 'Verbesserung: Das Fahrzeug ist auch ohne sie sicher.',
  },
  noChanges: 'Der Hersteller nennt keine Änderung in der Bedienung.',
  allWorks: 'Alles funktioniert weiter.',
  noInstructions: 'Sie müssen nichts vorbereiten.',
  ask: {
    download: 'Darf das Fahrzeug dieses Update herunterladen?',
    install: 'Darf das Fahrzeug dieses Update installieren?',
    activate: 'Darf das Fahrzeug mit diesem Update neu starten?',
  },
  roles: {
    owner: 'die Halterin oder der Halter',
    driver: 'die Fahrerin oder der Fahrer',
    fleet: 'die Fuhrparkleitung',
    workshop: 'die Werkstatt',
    renter: 'die Mieterin oder der Mieter',
    valet: 'der Parkservice',
  },
  stepEffect: {
    download:
      'Sie können währenddessen fahren. Vor der Installation werden Sie noch einmal gefragt.',
    install: 'Sie können währenddessen fahren. Vor dem Neustart werden Sie noch einmal gefragt.',
    activate: 'Das Fahrzeug muss geparkt bleiben, bis es neu gestartet ist.',
  },
  downloadSize: (megabytes) => `Der Download hat ${megabytes} MB.`,
  prepareTime: (minutes) => `Die Installation dauert ${range(minutes)}.`,
  unusableTime: (minutes) =>
    `Während des Neustarts kann das Fahrzeug ${range(minutes)} nicht gefahren werden.`,
  mayRefuse: 'Sie können Nein sagen. Das Fahrzeug bleibt dann, wie es ist.',
  mayRefuseUntil: (date) =>
    `Sie können Nein sagen. Das Fahrzeug bleibt dann bis ${date}, wie es ist.`,
  postponementsLeft: (left) =>
    left === 1
      ? 'Sie können es noch einmal verschieben.'
      : `Sie können es noch ${left}-mal verschieben.`,
  noPostponementLeft:
    'Sie können es nicht weiter verschieben. Ja oder Nein können Sie weiterhin sagen.',
  mandatory:
    'Der Hersteller ist verpflichtet, dieses Update in jedes Fahrzeug dieser Art zu bringen.',
  lastDate: (date) => `Sie können es bis ${date} verschieben.`,
  thenAsks: (date) =>
    `Nach dem ${date} werden Sie um ein Ja oder Nein gebeten. Ohne Ja geschieht nichts.`,
  thenInstalls: (date) =>
    `Bis ${date} bestimmen Sie den Zeitpunkt. Danach installiert das Fahrzeug es selbst und startet geparkt zwischen 1 und 5 Uhr nachts neu.`,
  onlyWrittenIn: (language) => `Diesen Text gibt es vom Hersteller nur auf ${language}.`,
};
