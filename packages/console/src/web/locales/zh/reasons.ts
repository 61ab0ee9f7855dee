import type { ReasonCode } from '@immota/api';

/** Why a vehicle is not updated, and the next step. */
export const reasons: Readonly<Record<ReasonCode, { meaning: string; nextStep: string }>> = {
  NOT_SEEN: { meaning: '活动开始以来车辆未曾联系。', nextStep: '等待下次联系，或唤醒车辆。' },
  NEVER_REGISTERED: { meaning: '车辆从未登记其 ECU。', nextStep: '检查其配置过程。' },
  CAMPAIGN_NOT_RUNNING: { meaning: '活动处于计划或暂停状态。', nextStep: '启动或恢复活动。' },
  CAMPAIGN_HELD: {
    meaning: '活动已自动停止：受损车辆过多。',
    nextStep: '查看失败原因，然后恢复或取消活动。',
  },
  CAMPAIGN_OVER: { meaning: '活动提供更新的时间已结束。', nextStep: '计划另一个活动。' },
  RELEASE_BLOCKED: {
    meaning: '发布已被封锁：不再提供其任何内容。',
    nextStep: '发布没有该缺陷的版本。',
  },
  LATER_WAVE: { meaning: '车辆属于尚未开放的批次。', nextStep: '等待前面的批次得到验证。' },
  CONTROL_GROUP: { meaning: '车辆暂不改动，用于与其他车辆比较。', nextStep: '等待最后一个批次。' },
  PENALTY_BOX: {
    meaning: '车辆不久前失败，暂时不再尝试。',
    nextStep: '等待所示时间结束后会再次尝试。',
  },
  RATE_CAP: { meaning: '活动在本小时内不再提供更新。', nextStep: '等待，或提高上限。' },
  SPREAD: { meaning: '稍后轮到它：分散提供以免所有车辆同时到来。', nextStep: '等待所示时间。' },
  AWAITING_NETWORK: {
    meaning: '车辆等待活动允许的网络。',
    nextStep: '将其带到不计流量的网络范围内。',
  },
  AWAITING_WINDOW: { meaning: '车辆等待允许安装的时段。', nextStep: '等待所示时间。' },
  UNHEALTHY: {
    meaning: '车辆已启动该发布，但不如之前健康。',
    nextStep: '查看其报告；送维修厂，或回滚。',
  },
  OFFERED: { meaning: '签名元数据已就绪；车辆尚未获取。', nextStep: '等待下次联系。' },
  NEXT_STEP: {
    meaning: '车辆完成了一步；通向该发布的下一步随后进行。',
    nextStep: '等待下次联系。',
  },
  AWAITING_REPORT: {
    meaning: '车辆已获取更新；尚无签名的结果报告。',
    nextStep: '等待安装和下次联系。',
  },
  AWAITING_CONSENT: { meaning: '车主尚未同意。', nextStep: '车主在车机或手机上作答。' },
  CONSENT_DECLINED: { meaning: '车主已拒绝。', nextStep: '向车主说明更新，或在维修厂提供。' },
  NO_PATH: {
    meaning: '没有一系列已发布的镜像能从当前版本通向该发布。',
    nextStep: '发布缺失的中间版本，或缩小活动范围。',
  },
  HARDWARE_UNKNOWN: {
    meaning: '发布中没有适合其某个 ECU 的镜像。',
    nextStep: '为该硬件添加镜像，或缩小活动范围。',
  },
  OTHER_CAMPAIGN: { meaning: '此车辆正在进行另一个活动。', nextStep: '等待其结束，或取消它。' },
  ECU_MISSING: {
    meaning: '一个已登记的 ECU 没有报告。',
    nextStep: '在维修厂检查该 ECU，或登记其更换。',
  },
  ECU_REPLACED: { meaning: '一个 ECU 使用未登记的密钥报告。', nextStep: '批准更换，或进行调查。' },
  ENCRYPTION_KEY_MISSING: {
    meaning: '一个 ECU 未提交其加密镜像所需的密钥。',
    nextStep: '等待车辆发送，或以明文发布镜像。',
  },
  DOWNLOAD_FAILED: {
    meaning: '车辆无法下载镜像，或其内容与签名不符。',
    nextStep: '检查 CDN；车辆会再次尝试。',
  },
  VERIFICATION_FAILED: {
    meaning: '车辆因不可信而拒绝了元数据或镜像。',
    nextStep: '进行调查：可能是攻击。',
  },
  REFUSED_SILENTLY: {
    meaning: '车辆多次获取元数据后未作任何答复。',
    nextStep: '进行调查：它拒绝元数据，或元数据在途中被替换。',
  },
  INSTALL_FAILED: {
    meaning: '一个 ECU 无法安装或启动镜像，仍运行旧版本。',
    nextStep: '查看其报告；再次提供或将车辆送维修厂。',
  },
  PRECONDITION: {
    meaning: '车辆等待到可以安全安装。',
    nextStep: '停车、充电，或满足测量值的要求。',
  },
  QUARANTINED: { meaning: '车辆或其证书已被禁止。', nextStep: '进行调查，然后解除禁止。' },
  CANCELLED: { meaning: '活动已取消。', nextStep: '无。' },
  ALREADY_RUNS_IT: { meaning: '每个 ECU 之前已运行该发布。', nextStep: '无。' },
  TAKEN_BACK: {
    meaning: '它曾运行该发布，但其签名报告又显示另一个镜像。',
    nextStep: '查明为何被撤回；再次提供或送维修厂。',
  },
  AWAITING_TECHNICIAN: {
    meaning: '一切就绪；需要技术人员在场或完成工作。',
    nextStep: '将车辆送到维修厂，由技术人员批准该步骤。',
  },
};
