import type { live as EN } from '../en/live.ts';
import type { Shape } from '../shape.ts';

/** A campaign while it runs. */
export const live: Shape<typeof EN> = {
  campaigns: 'Kampagnen',
  release: 'Freigabe',
  query: 'Fahrzeuge',
  priority: 'Priorität',
  filing: 'Aktenzeichen',
  started: 'Gestartet',
  author: 'Von',
  change: 'Ändern',
  rehearsal: 'Probe',
  failures: 'Wo sich Fehler häufen',
  evidence: 'Nachweis',
  updated: 'Aktualisiert, bezeugt',
  failed: 'Fehlgeschlagen',
  inFlight: 'Unterwegs',
  waiting: 'Wartend',
  start: 'Starten',
  resume: 'Fortsetzen',
  pause: 'Pausieren',
  cancel: 'Endgültig abbrechen',
  startEffect:
    'Angebote beginnen mit der ersten Welle; insgesamt sind {{vehicles}} Fahrzeuge gemeint.',
  resumeEffect:
    'Die Kampagne geht in ihrer offenen Welle weiter: {{waiting}} Fahrzeuge können sie wieder angeboten bekommen. Der Wächter wacht weiter.',
  pauseEffect:
    'Pausiert {{waves}} Wellen; {{waiting}} Fahrzeuge behalten, was sie ausführen. {{inFlight}}, die installieren, enden von selbst.',
  cancelEffect:
    'Kein Fahrzeug erhält es mehr angeboten; {{waiting}} behalten, was sie ausführen, {{updated}} aktualisierte bleiben es. Das ist endgültig.',
  hold: {
    title: 'Die Kampagne hält in Welle {{wave}} an',
    failures: 'Zu viele Fehler',
    harm: 'Behandelte Fahrzeuge sind weniger gesund als unberührte',
    operator: 'Der Betrieb hat sie pausiert',
  },
  funnel: {
    title: 'Von vorgesehen bis gesund',
    hint: 'Ab „gestartet“ zählen nur signierte Berichte der Steuergeräte. Neben jedem Schritt: wer dort anhielt, und warum.',
    nobody: 'niemand hält hier an',
  },
  adoption: {
    title: 'Verbreitung gegen die Vorhersage',
    label: 'Aktualisierte Fahrzeuge über die Zeit gegen das Band der Probe',
    actual: 'Aktualisiert',
    band: 'Erwartet zwischen',
    middle: 'Vorhersage',
    none: 'Noch ist kein Fahrzeug aktualisiert',
    noneHint: 'Die Kurve beginnt mit dem ersten signierten Bericht nach einem Start.',
  },
  failure: {
    title: 'Fehlerrate gegen ihre Grenze',
    label: 'Die Fehlerrate der offenen Welle mit ihrem Intervall über die Zeit, gegen die Grenze',
    said: '{{bad}} von {{outcomes}} Ergebnissen: {{estimate}}, sicher zwischen {{low}} und {{high}}; die Grenze ist {{limit}}.',
    rate: 'Rate',
    limit: 'Grenze',
  },
  hours: 'Stunden',
  health: {
    title: 'Behandelt gegen unberührt',
    hint: 'Ungesunde Fahrzeuge derselben Schichten: neue Fehler, Neustarts, schwache 12-V-Batterie.',
    treated: 'Behandelt',
    control: 'Unberührt',
    difference: 'Der Unterschied liegt zwischen {{low}} und {{high}}; die Grenze ist {{limit}}.',
    of: '{{bad}} von {{outcomes}}',
  },
  waves: {
    title: 'Wellen',
    open: 'Nächste Welle öffnen',
    openEffect:
      'Öffnet Welle {{wave}}, „{{name}}“: {{vehicles}} weiteren Fahrzeugen kann die Freigabe angeboten werden.',
    vehicles: '{{shown}} Fahrzeuge',
  },
  members: {
    title: 'Fahrzeuge',
    vehicle: 'Fahrzeug',
    stage: 'Kam bis',
    state: 'Status',
    wave: 'Welle',
    why: 'Warum nicht weiter',
    next: 'Nächster Schritt',
    since: 'Seit',
    search: 'FIN oder Kennung beginnt mit',
    reason: 'Grund',
    control: 'unberührt',
    hardware: 'Hardware',
    source: 'Lief zuvor',
    empty: 'Kein Fahrzeug steht dort',
    emptyHint: 'Nehmen Sie einen Filter weg, um mehr zu sehen.',
  },
};
