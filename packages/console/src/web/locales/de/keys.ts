import type { keys as EN } from '../en/keys.ts';
import type { Shape } from '../shape.ts';

/** Keys, roles and authorities. */
export const keys: Shape<typeof EN> = {
  title: 'Schlüssel',
  lead: 'Wer was signieren darf, und bis wann es gilt. Offline-Rollen erneuern Menschen, die zusammenkommen; Online-Rollen erneuern sich selbst.',
  director: 'Director',
  image: 'Image-Repository',
  role: 'Rolle',
  version: 'Version',
  threshold: 'Schwelle',
  keys: 'Schlüssel',
  kept: 'Verwahrt',
  online: 'online',
  offline: 'offline',
  expires: 'Läuft ab',
  soon: 'bald',
  over: 'vorbei',
  of: '{{threshold}} von {{keys}}',
  renew: 'Online-Metadaten erneuern',
  renewEffect: 'Snapshot und Timestamp werden sofort neu signiert. Fahrzeuge bemerken nichts.',
  ceremony: 'Eine Zeremonie für Offline-Rollen',
  ceremonyHint:
    'Private Schlüssel kommen dieser Konsole nie nahe. Die mittlere Zeile gilt dem Gerät, das sie hält, die anderen dem Server:',
  ceremonyEnd:
    'Dann die Dateien signed/DIALEKT.targets.json hier oder die Anforderung mit immota key publish veröffentlichen. Ein Root beginnt mit immota key root statt der ersten Zeile.',
  publish: 'Signierte Metadaten veröffentlichen',
  publishEffect:
    '{{files}} Dateien werden geprüft und für das Repository {{repository}} in Kraft gesetzt. Was ein Fahrzeug abwiese, wird hier abgewiesen.',
  repository: 'Repository',
  files: 'Signierte Dateien (JSON)',
  authorities: 'Zertifizierungsstellen',
  authority: 'Stelle',
  serial: 'Seriennummer',
  certificates: 'Auslaufende Fahrzeugzertifikate',
  month: 'Monat',
  count: 'Anzahl',
  revoked: 'Widerrufen',
  certificatesLabel: 'Auslaufende Fahrzeugzertifikate nach Monat',
};
