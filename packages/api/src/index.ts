/** Everything that crosses the air: routes, schemas, events, problems. No I/O. */
export {
  type Actor,
  CAMPAIGN_STAGES,
  type CampaignStage,
  REASONS,
  type ReasonCode,
  type ReasonText,
  UPDATED,
  VEHICLE_STATES,
  type VehicleState,
} from './campaign/states.ts';
export { type CampaignDecision, decisionText } from './campaign/decision.ts';
export * as deviceLimits from './device/limits.ts';
export { noticeSchema, type WrittenNotice } from './device/notice.ts';
export { DEVICE_PATHS, wakeTopic } from './device/paths.ts';
export {
  type ClientEvent,
  clientEventSchema,
  type Consent,
  consentSchema,
  ecuKeySchema,
  networkSchema,
  type ProvisionRequest,
  provisionSchema,
  type Registration,
  registrationSchema,
  timeRequestSchema,
} from './device/registration.ts';
export { type EventId, EVENTS, type PrivacyClass, type Severity } from './event/catalogue.ts';
export { type Problem, problem, PROBLEM_MEDIA_TYPE, problemSchema } from './problem.ts';
export { describeOperatorApi, type OpenApiDocument } from './operator/openapi.ts';
export { OPERATOR_PREFIX } from './operator/route.ts';
export { OPERATOR_ROUTES } from './operator/routes.ts';
export { API_ROLES, type ApiRole } from './operator/roles.ts';
export * as accessSchemas from './operator/access-schemas.ts';
export * as campaignSchemas from './operator/campaign-schemas.ts';
export * as fleetSchemas from './operator/fleet-schemas.ts';
export * as releaseSchemas from './operator/release-schemas.ts';
export * as operatorSchemas from './operator/schemas.ts';
