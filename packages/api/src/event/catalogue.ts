/**
 * The events of the house, one catalogue for all sources: id, meaning, severity, and how private
 * the fields are. The event log is the record (ADR 7); every projection and every detection rule
 * speaks of these ids.
 */

/** `public` no person in it · `vehicle` names a vehicle · `personal` tells of its owner. */
export type PrivacyClass = 'public' | 'vehicle' | 'personal';

/** `info` as planned · `notice` worth knowing · `warning` act soon · `alert` a likely attack. */
export type Severity = 'info' | 'notice' | 'warning' | 'alert';

interface EventMeaning {
  readonly meaning: string;
  readonly severity: Severity;
  readonly privacy: PrivacyClass;
}

const event = (severity: Severity, privacy: PrivacyClass, meaning: string): EventMeaning => ({
  meaning,
  severity,
  privacy,
});

/** Every event by its id. An id keeps its meaning for ever; a new meaning is a new id. */
export const EVENTS = {
  'vehicle.provisioned': event('info', 'vehicle', 'A vehicle got a certificate of its own.'),
  'vehicle.registered': event('info', 'vehicle', 'A vehicle registered its ECUs.'),
  'vehicle.described': event('info', 'vehicle', 'An operator set what is known of a vehicle.'),
  'vehicle.quarantined': event('warning', 'vehicle', 'An operator barred a vehicle.'),
  'vehicle.released': event('notice', 'vehicle', 'An operator lifted the bar of a vehicle.'),
  'vehicle.first-seen': event('info', 'vehicle', 'A vehicle reported for the first time.'),
  'ecu.replacement-requested': event('warning', 'vehicle', 'An ECU came with another key.'),
  'ecu.replaced': event('notice', 'vehicle', 'An operator approved the replacement of an ECU.'),
  'ecu.missing': event('warning', 'vehicle', 'A registered ECU is absent from the manifest.'),
  'ecu.attack-reported': event('alert', 'vehicle', 'An ECU reports an attack it has seen.'),
  'ecu.installed': event('info', 'vehicle', 'An ECU reports, signed and after boot, a new image.'),
  'ecu.key-registered': event('info', 'vehicle', 'An ECU handed in its encryption key.'),
  'manifest.refused': event('alert', 'vehicle', 'A manifest did not verify and was dropped.'),
  'report.refused': event('alert', 'vehicle', 'One ECU report in a manifest did not verify.'),
  'report.replayed': event('alert', 'vehicle', 'A report counter came again.'),
  'report.counter-reset': event(
    'warning',
    'vehicle',
    'A report counter began anew with a new key.',
  ),
  'update.offered': event('info', 'vehicle', 'Signed metadata assigns images to a vehicle.'),
  'update.fetched': event('info', 'vehicle', 'A vehicle fetched the metadata of an offer.'),
  'update.refused-silently': event('alert', 'vehicle', 'A vehicle came back without a word.'),
  'update.failed': event('warning', 'vehicle', 'A signed report tells of a failed installation.'),
  'update.completed': event('info', 'vehicle', 'Every ECU of an offer runs its new image.'),
  'update.withdrawn': event('notice', 'vehicle', 'An offer was taken back.'),
  'consent.given': event('info', 'personal', 'Somebody answered a request for consent.'),
  'technician.spoke': event(
    'notice',
    'personal',
    'A vehicle reports, signed, which technician has approved a step or stopped it.',
  ),
  'client.event': event('info', 'vehicle', 'An unsigned progress event of the vehicle.'),
  'client.information': event('info', 'vehicle', 'Unsigned information about the vehicle changed.'),
  'image.uploaded': event('info', 'public', 'An image was stored.'),
  'image.refused': event('alert', 'public', 'An upload was not authorised, or not what it said.'),
  'metadata.published': event('info', 'public', 'Signed metadata of a repository was published.'),
  'metadata.refused': event('alert', 'public', 'Metadata offered for publication did not verify.'),
  'metadata.expiring': event('warning', 'public', 'Metadata runs out soon.'),
  'release.created': event('info', 'public', 'A release was signed.'),
  'release.refused': event(
    'alert',
    'public',
    'A release did not verify, or cannot be carried out.',
  ),
  'release.blocked': event('warning', 'public', 'A release was blocked for every campaign.'),
  'release.unblocked': event('notice', 'public', 'A blocked release was let go again.'),
  'dossier.written': event('info', 'public', 'Somebody wrote an item of a dossier.'),
  'rxswin.registered': event('info', 'public', 'The software behind an RXSWIN was registered.'),
  'campaign.targets-frozen': event('info', 'public', 'The target list of a campaign was frozen.'),
  'approval.refused': event('alert', 'public', 'A decision on a campaign did not count.'),
  'evidence.exported': event('notice', 'public', 'Somebody took the evidence of a campaign away.'),
  'campaign.created': event('info', 'public', 'A campaign was created.'),
  'campaign.started': event('info', 'public', 'A campaign was started or resumed.'),
  'campaign.changed': event('info', 'public', 'The draft of a campaign was changed.'),
  'campaign.submitted': event('info', 'public', 'A campaign was handed in for approval.'),
  'campaign.approved': event('notice', 'public', 'Somebody else approved a campaign.'),
  'campaign.rejected': event('notice', 'public', 'Somebody else rejected a campaign.'),
  'campaign.held': event('alert', 'public', 'A campaign holds by itself: its guard was exceeded.'),
  'campaign.resumed': event('notice', 'public', 'A campaign that held goes on, and why.'),
  'campaign.wave-opened': event('info', 'public', 'A wave of a campaign was opened.'),
  'campaign.paused': event('notice', 'public', 'A campaign was paused.'),
  'campaign.finished': event(
    'info',
    'public',
    'Every vehicle of a campaign reached an end, by signed reports.',
  ),
  'campaign.cancelled': event('notice', 'public', 'A campaign was cancelled.'),
  'certificate.issued': event('info', 'vehicle', 'A certificate was issued.'),
  'certificate.revoked': event('notice', 'vehicle', 'A certificate was revoked.'),
  'certificate.refused': event('alert', 'vehicle', 'A connection or an enrolment was refused.'),
  'request.refused': event('warning', 'vehicle', 'A request broke a limit or a rule.'),
  'token.created': event('notice', 'public', 'An API token was created.'),
  'token.revoked': event('notice', 'public', 'An API token was revoked.'),
  'user.created': event('notice', 'public', 'A person was let in.'),
  'user.changed': event('notice', 'public', 'What a person may was changed.'),
  'user.signed-in': event('info', 'public', 'A person signed in.'),
  'user.signed-out': event('info', 'public', 'A person signed out.'),
  'user.locked': event('alert', 'public', 'A person’s password was wrong too often.'),
  'user.password-set': event('notice', 'public', 'A person set their password.'),
  'tenant.created': event('notice', 'public', 'A tenant was created.'),
  'signing-key.registered': event(
    'notice',
    'public',
    'A person registered a key with which they sign decisions.',
  ),
  'signing-key.revoked': event('notice', 'public', 'A key that signs decisions was revoked.'),
  'webhook.created': event('notice', 'public', 'A webhook was created.'),
  'webhook.deleted': event('notice', 'public', 'A webhook was deleted.'),
  'webhook.given-up': event('warning', 'public', 'A message to a webhook was given up.'),
  'metadata.renewed': event('info', 'public', 'An operator had the online metadata made anew.'),
  'audit.exported': event('notice', 'public', 'Somebody took the audit log away.'),
  'change.made': event('info', 'public', 'A change through the operator API.'),
  'authentication.refused': event(
    'warning',
    'public',
    'A caller had no token, or none that is good.',
  ),
  'authorisation.denied': event('warning', 'public', 'A token asked for what its role may not.'),
} as const satisfies Readonly<Record<string, EventMeaning>>;

/** The id of an event. */
export type EventId = keyof typeof EVENTS;
