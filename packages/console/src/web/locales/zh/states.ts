import type { states as EN } from '../en/states.ts';
import type { Shape } from '../shape.ts';

/** Words for states, stages, roles. */
export const states: Shape<typeof EN> = {
  campaign: {
    planned: '已计划',
    running: '进行中',
    paused: '已暂停',
    held: '自动停止',
    finished: '已完成',
    cancelled: '已取消',
  },
  approval: { draft: '草稿', submitted: '等待批准', approved: '已批准', rejected: '已拒绝' },
  vehicle: {
    targeted: '已选定',
    offered: '已提供',
    'in-flight': '进行中',
    updated: '已更新',
    failed: '失败',
    'not-needed': '无需更新',
    blocked: '受阻',
    cancelled: '已取消',
  },
  stage: {
    targeted: '已选定',
    reachable: '可联系',
    notified: '已通知',
    consented: '已同意',
    downloaded: '已下载',
    ready: '可安装',
    installed: '已安装',
    booted: '已启动',
    healthy: '健康',
  },
  wave: { waiting: '等待', open: '开放', done: '完成' },
  health: { unknown: '尚不明确', healthy: '健康', unhealthy: '不健康' },
  actor: {
    nobody: '无人',
    operator: '运营人员',
    owner: '车主',
    vehicle: '车辆',
    workshop: '维修厂',
    security: '安全团队',
  },
  role: {
    viewer: '查看者',
    supplier: '供应商',
    'release-engineer': '发布工程师',
    operator: '运营人员',
    approver: '批准人',
    auditor: '审计员',
    admin: '管理员',
  },
  severity: { info: '符合计划', notice: '值得关注', warning: '尽快处理', alert: '立即处理' },
  verdict: { unknown: '尚未判定', within: '在限值内', exceeded: '超出限值' },
};
