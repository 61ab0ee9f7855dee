import type { states as EN } from '../en/states.ts';
import type { Shape } from '../shape.ts';

/** Words for states, stages, roles. */
export const states: Shape<typeof EN> = {
  campaign: {
    planned: 'Geplant',
    running: 'Läuft',
    paused: 'Pausiert',
    held: 'Hält an',
    finished: 'Beendet',
    cancelled: 'Abgebrochen',
  },
  approval: {
    draft: 'Entwurf',
    submitted: 'Wartet auf Genehmigung',
    approved: 'Genehmigt',
    rejected: 'Abgelehnt',
  },
  vehicle: {
    targeted: 'Vorgesehen',
    offered: 'Angeboten',
    'in-flight': 'Unterwegs',
    updated: 'Aktualisiert',
    failed: 'Fehlgeschlagen',
    'not-needed': 'Nicht nötig',
    blocked: 'Blockiert',
    cancelled: 'Abgebrochen',
  },
  stage: {
    targeted: 'Vorgesehen',
    reachable: 'Erreichbar',
    notified: 'Benachrichtigt',
    consented: 'Zugestimmt',
    downloaded: 'Geladen',
    ready: 'Bereit',
    installed: 'Installiert',
    booted: 'Gestartet',
    healthy: 'Gesund',
  },
  wave: { waiting: 'Wartet', open: 'Offen', done: 'Fertig' },
  health: { unknown: 'Noch nicht bekannt', healthy: 'Gesund', unhealthy: 'Nicht gesund' },
  actor: {
    nobody: 'Niemand',
    operator: 'Betrieb',
    owner: 'Halter',
    vehicle: 'Fahrzeug',
    workshop: 'Werkstatt',
    security: 'Sicherheit',
  },
  role: {
    viewer: 'Lesend',
    supplier: 'Zulieferer',
    'release-engineer': 'Release-Ingenieur',
    operator: 'Betreiber',
    approver: 'Genehmiger',
    auditor: 'Prüfer',
    admin: 'Administrator',
  },
  severity: {
    info: 'Wie geplant',
    notice: 'Wissenswert',
    warning: 'Bald handeln',
    alert: 'Jetzt handeln',
  },
  verdict: {
    unknown: 'Noch nicht entschieden',
    within: 'Innerhalb der Grenze',
    exceeded: 'Grenze überschritten',
  },
};
