/**
 * The device gateway's paths. The first group is what AGL's and Torizon's client asks for and is
 * fixed by it; the second is ours, which that client never calls.
 */
export const DEVICE_PATHS = {
  provision: '/devices',
  ecus: '/director/ecus',
  manifest: '/director/manifest',
  directorMetadata: '/director/:file',
  imageMetadata: '/repo/:file',
  imageDelegation: '/repo/delegations/:file',
  imageTarget: '/repo/targets/*',
  systemInfo: '/system_info',
  installed: '/core/installed',
  network: '/system_info/network',
  config: '/system_info/config',
  events: '/events',
  campaigns: '/campaigner/campaigns',

  /** Attested time for the nonces in the body. */
  time: '/director/time',
  /** Decryption keys of ECUs, signed by the ECUs. */
  ecuKeys: '/director/ecu-keys',
  /** Signed consent receipts. */
  consents: '/director/consents',
  /** RFC 7030. */
  est: '/.well-known/est/:operation',
  /** The Image repository again, in the dialect of TUF 1.0. */
  tufMetadata: '/tuf/:file',
  tufTarget: '/tuf/targets/*',
  crl: '/pki/:authority.crl',
  ocsp: '/pki/ocsp',
} as const;

/** The MQTT topic that wakes a vehicle. */
export function wakeTopic(vehicleId: string): string {
  return `vehicles/${vehicleId}/wake`;
}
