import type { ReasonCode } from '@immota/api';

/** Why a vehicle is not updated, and the next step. */
export const reasons: Readonly<Record<ReasonCode, { meaning: string; nextStep: string }>> = {
  NOT_SEEN: {
    meaning: 'Das Fahrzeug hat sich seit Beginn der Kampagne nicht gemeldet.',
    nextStep: 'Auf den nächsten Kontakt warten oder es wecken.',
  },
  NEVER_REGISTERED: {
    meaning: 'Das Fahrzeug hat seine Steuergeräte nie registriert.',
    nextStep: 'Seine Bereitstellung prüfen.',
  },
  CAMPAIGN_NOT_RUNNING: {
    meaning: 'Die Kampagne ist geplant oder pausiert.',
    nextStep: 'Die Kampagne starten oder fortsetzen.',
  },
  CAMPAIGN_HELD: {
    meaning: 'Die Kampagne hält von selbst an: Zu viele Fahrzeuge nahmen Schaden.',
    nextStep: 'Die Fehler ansehen, dann fortsetzen oder abbrechen.',
  },
  CAMPAIGN_OVER: {
    meaning: 'Die Zeit, in der die Kampagne anbietet, ist vorbei.',
    nextStep: 'Eine weitere Kampagne planen.',
  },
  RELEASE_BLOCKED: {
    meaning: 'Die Freigabe wurde gesperrt: Nichts davon wird angeboten.',
    nextStep: 'Eine Version ohne den Fehler freigeben.',
  },
  LATER_WAVE: {
    meaning: 'Das Fahrzeug gehört zu einer Welle, die noch nicht offen ist.',
    nextStep: 'Warten, bis sich die Wellen davor bewährt haben.',
  },
  CONTROL_GROUP: {
    meaning: 'Das Fahrzeug bleibt vorerst unberührt, um die anderen mit ihm zu vergleichen.',
    nextStep: 'Auf die letzte Welle warten.',
  },
  PENALTY_BOX: {
    meaning: 'Es ist vor Kurzem gescheitert und wird eine Weile in Ruhe gelassen.',
    nextStep: 'Warten, bis die genannte Zeit um ist; dann wird es erneut versucht.',
  },
  RATE_CAP: {
    meaning: 'Die Kampagne bietet in dieser Stunde nichts mehr an.',
    nextStep: 'Warten oder die Grenze anheben.',
  },
  SPREAD: {
    meaning:
      'Es ist später an der Reihe: Angebote werden verteilt, damit nicht alle zugleich kommen.',
    nextStep: 'Auf die genannte Zeit warten.',
  },
  AWAITING_NETWORK: {
    meaning: 'Das Fahrzeug wartet auf ein Netz, das die Kampagne erlaubt.',
    nextStep: 'Es in die Reichweite eines Netzes ohne Volumengrenze bringen.',
  },
  AWAITING_WINDOW: {
    meaning: 'Das Fahrzeug wartet auf die Stunden, in denen es installieren darf.',
    nextStep: 'Auf die genannte Zeit warten.',
  },
  UNHEALTHY: {
    meaning: 'Es läuft mit der Freigabe und ist nicht so gesund wie zuvor.',
    nextStep: 'Lesen, was es meldet; in eine Werkstatt schicken oder zurückrollen.',
  },
  OFFERED: {
    meaning: 'Signierte Metadaten liegen bereit; das Fahrzeug hat sie noch nicht geholt.',
    nextStep: 'Auf den nächsten Kontakt warten.',
  },
  NEXT_STEP: {
    meaning:
      'Das Fahrzeug hat einen Schritt vollendet; der nächste auf dem Weg zur Freigabe folgt.',
    nextStep: 'Auf den nächsten Kontakt warten.',
  },
  AWAITING_REPORT: {
    meaning: 'Das Fahrzeug hat das Update geholt; noch kam kein signierter Bericht.',
    nextStep: 'Auf die Installation und den nächsten Kontakt warten.',
  },
  AWAITING_CONSENT: {
    meaning: 'Der Halter hat noch nicht zugestimmt.',
    nextStep: 'Der Halter antwortet im Fahrzeug oder am Telefon.',
  },
  CONSENT_DECLINED: {
    meaning: 'Der Halter hat abgelehnt.',
    nextStep: 'Dem Halter das Update erklären oder es in einer Werkstatt anbieten.',
  },
  NO_PATH: {
    meaning: 'Keine Folge freigegebener Stände führt von dem, was läuft, zur Freigabe.',
    nextStep: 'Die fehlende Zwischenversion freigeben oder die Kampagne enger fassen.',
  },
  HARDWARE_UNKNOWN: {
    meaning: 'Kein Stand der Freigabe passt zu einem seiner Steuergeräte.',
    nextStep: 'Einen Stand für diese Hardware hinzufügen oder die Kampagne enger fassen.',
  },
  OTHER_CAMPAIGN: {
    meaning: 'Eine andere Kampagne ist in diesem Fahrzeug unterwegs.',
    nextStep: 'Warten, bis sie endet, oder sie abbrechen.',
  },
  ECU_MISSING: {
    meaning: 'Ein registriertes Steuergerät meldet sich nicht.',
    nextStep: 'Es in einer Werkstatt prüfen oder seinen Tausch registrieren.',
  },
  ECU_REPLACED: {
    meaning: 'Ein Steuergerät meldet sich mit einem nicht registrierten Schlüssel.',
    nextStep: 'Den Tausch genehmigen oder untersuchen.',
  },
  ENCRYPTION_KEY_MISSING: {
    meaning:
      'Ein Steuergerät hat den Schlüssel nicht abgegeben, für den sein Stand verschlüsselt werden muss.',
    nextStep: 'Warten, bis das Fahrzeug ihn sendet, oder unverschlüsselt freigeben.',
  },
  DOWNLOAD_FAILED: {
    meaning:
      'Das Fahrzeug konnte den Stand nicht laden, oder seine Bytes waren nicht die signierten.',
    nextStep: 'Das CDN prüfen; das Fahrzeug versucht es erneut.',
  },
  VERIFICATION_FAILED: {
    meaning: 'Das Fahrzeug hat Metadaten oder Stand als nicht vertrauenswürdig abgewiesen.',
    nextStep: 'Untersuchen: Es kann ein Angriff sein.',
  },
  REFUSED_SILENTLY: {
    meaning: 'Das Fahrzeug holte die Metadaten und kam mehrmals ohne ein Wort zurück.',
    nextStep: 'Untersuchen: Es weist sie ab, oder sie werden unterwegs ausgetauscht.',
  },
  INSTALL_FAILED: {
    meaning:
      'Ein Steuergerät konnte den Stand nicht installieren oder starten und führt den alten aus.',
    nextStep: 'Seinen Bericht lesen; erneut anbieten oder in eine Werkstatt schicken.',
  },
  PRECONDITION: {
    meaning: 'Das Fahrzeug wartet, bis die Installation sicher ist.',
    nextStep: 'Parken, laden, oder was der gemessene Wert verlangt.',
  },
  QUARANTINED: {
    meaning: 'Das Fahrzeug oder sein Zertifikat ist gesperrt.',
    nextStep: 'Untersuchen, dann die Sperre aufheben.',
  },
  CANCELLED: { meaning: 'Die Kampagne wurde abgebrochen.', nextStep: 'Nichts.' },
  ALREADY_RUNS_IT: {
    meaning: 'Jedes Steuergerät führte die Freigabe schon aus.',
    nextStep: 'Nichts.',
  },
  TAKEN_BACK: {
    meaning:
      'Es führte die Freigabe aus, und sein signierter Bericht nennt wieder einen anderen Stand.',
    nextStep:
      'Herausfinden, warum sie zurückgenommen wurde; erneut anbieten oder in eine Werkstatt schicken.',
  },
  AWAITING_TECHNICIAN: {
    meaning: 'Alles ist bereit; ein Techniker muss dabei sein oder die Arbeit abschließen.',
    nextStep: 'Das Fahrzeug in eine Werkstatt bringen, wo ein Techniker den Schritt genehmigt.',
  },
};
