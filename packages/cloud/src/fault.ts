import { Fault } from '@immota/base';

/** Why the cloud refused. */
export type CloudFaultCode =
  /** A body or a parameter is not of the shape that the route demands. */
  | 'REQUEST_MALFORMED'
  /** A body longer than the route allows: exhaustion. */
  | 'REQUEST_TOO_LONG'
  /** A body that took longer than the route allows: slow senders that hold connections. */
  | 'REQUEST_TOO_SLOW'
  /** More requests than one client may make in the time: exhaustion. */
  | 'RATE_LIMIT'
  /** The connection shows no client certificate. */
  | 'CERTIFICATE_MISSING'
  /** The vehicle is barred by an operator. */
  | 'QUARANTINED'
  /** Credentials for provisioning used for something else, or the other way round. */
  | 'WRONG_CREDENTIALS'
  /** There is no such route, file or image. */
  | 'NOT_FOUND'
  /** The route does not take this method. */
  | 'METHOD'
  /** The server is stopping or has too much waiting: try again. */
  | 'UNAVAILABLE'
  /** The vehicle has not registered its ECUs. */
  | 'NOT_REGISTERED'
  /** The manifest names another vehicle than the certificate: identity theft. */
  | 'VEHICLE_MISMATCH'
  /** Other manifests of the vehicle came in between, too often. */
  | 'MANIFEST_CONFLICT'
  /** The device identifier has credentials already: a stolen bootstrap key must not take it over. */
  | 'DEVICE_ALREADY_REGISTERED'
  /** The device is not on the list of those that may be provisioned. */
  | 'DEVICE_UNLISTED'
  /** An ECU serial that belongs to another vehicle: a cloned or stolen ECU. */
  | 'ECU_REUSE'
  /** An ECU that comes with another key, which an operator must approve. */
  | 'ECU_REPLACEMENT'
  /** A registration that names no usable key, or one ECU twice. */
  | 'ECU_MALFORMED'
  /** An encryption key that its ECU did not sign. */
  | 'ECU_KEY'
  /** The uploader may not act for this role, or the role does not cover this image. */
  | 'UPLOAD_FORBIDDEN'
  /** The uploaded bytes or facts are not what was announced. */
  | 'UPLOAD_MISMATCH'
  /** No such upload is under way. */
  | 'UPLOAD_MISSING'
  /** An image of this name is there already: names never change their meaning. */
  | 'IMAGE_EXISTS'
  /** No image of this name is stored and signed. */
  | 'IMAGE_UNKNOWN'
  /** A plan that cannot be signed: it contradicts what the image or the vehicle is. */
  | 'PLAN_INVALID'
  /** Metadata offered for publication does not follow from what is published. */
  | 'METADATA_REFUSED'
  /** The repositories are there already, or not yet. */
  | 'REPOSITORY_STATE'
  /** The keystore has no key for a role that must be signed here. */
  | 'KEY_MISSING'
  /** The sealed form of a secret was changed, or is for another key. */
  | 'SEAL_BROKEN'
  /** An event, a link between two events or a checkpoint is not what was appended. */
  | 'EVENT_CHAIN'
  /** A release that is not of its shape, or whose goal is not among its images. */
  | 'RELEASE_MALFORMED'
  /** No token, or one that is unknown, revoked or over. */
  | 'UNAUTHENTICATED'
  /** A token whose role may not do this. */
  | 'FORBIDDEN'
  /** A change by a browser's session without the token that only its own pages know: cross-site forgery. */
  | 'CSRF'
  /** A sign-in that the provider, the password or the house did not vouch for. */
  | 'SIGN_IN_REFUSED'
  /** A person of this address is there already. */
  | 'USER_EXISTS'
  /** The last administrator of a tenant stays one. */
  | 'LAST_ADMIN'
  /** A tenant of this name is there already. */
  | 'TENANT_EXISTS'
  /** A signing key that is none, is there already, or whose holder did not prove to hold it. */
  | 'SIGNING_KEY'
  /** A webhook's address that must not be reached from here. */
  | 'WEBHOOK_ADDRESS'
  /** More of something than one caller or tenant may have at once. */
  | 'QUOTA'
  /** A token of this name is good already. */
  | 'TOKEN_EXISTS'
  /** A vehicle identification number that another vehicle has. */
  | 'VIN_EXISTS'
  /** A fleet query that is no CEL expression. */
  | 'QUERY_MALFORMED'
  /** An approval by the author, or with the author's key: four eyes are two people. */
  | 'SELF_APPROVAL'
  /** Nobody handed in or approved what is to be started. */
  | 'APPROVAL_MISSING'
  /** What was approved is not what is there now. */
  | 'APPROVAL_STALE'
  /** A campaign that somebody rejected. */
  | 'APPROVAL_REJECTED'
  /** A decision whose signature does not fit its words. */
  | 'SIGNATURE_INVALID'
  /** A decision signed with a key that nobody registered. */
  | 'SIGNATURE_KEY_UNKNOWN'
  /** A decision signed with a key that was revoked. */
  | 'SIGNATURE_KEY_REVOKED'
  /** A decision signed with somebody else's key. */
  | 'SIGNATURE_KEY_FOREIGN'
  /** A decision signed too long ago, or in the future. */
  | 'SIGNATURE_TIME'
  /** A dossier that lacks some of its nine items. */
  | 'DOSSIER_INCOMPLETE'
  /** A release that was blocked. */
  | 'RELEASE_BLOCKED'
  /** A register entry that does not follow from the one before it. */
  | 'REGISTER_CHAIN'
  /** A campaign whose waves, policy or guard contradict themselves. */
  | 'CAMPAIGN_MALFORMED'
  /** The campaign is no longer as it was when an offer was chosen: nothing is signed, and it is chosen anew. */
  | 'PLAN_OUTDATED'
  /** A fleet whose vehicles differ too much to be rehearsed. */
  | 'REHEARSAL_TOO_VARIED'
  /** A fleet query that took longer than a question may. */
  | 'QUERY_TOO_SLOW'
  /** A campaign cannot go from the state it is in to the one asked for. */
  | 'CAMPAIGN_STATE'
  /** The data folder is not one, or holds something else. */
  | 'DATA_FOLDER';

/** Thrown by every refusal of this package. */
export class CloudFault extends Fault<CloudFaultCode> {
  override readonly name = 'CloudFault';
}
