import type { keys as EN } from '../en/keys.ts';
import type { Shape } from '../shape.ts';

/** Keys, roles and authorities. */
export const keys: Shape<typeof EN> = {
  title: '密钥',
  lead: '谁可签署什么、有效期至何时。离线角色由人员共同更新；在线角色自动更新。',
  director: 'Director',
  image: '镜像仓库',
  role: '角色',
  version: '版本',
  threshold: '阈值',
  keys: '密钥',
  kept: '保管方式',
  online: '在线',
  offline: '离线',
  expires: '到期',
  soon: '即将',
  over: '已过期',
  of: '{{keys}} 中 {{threshold}}',
  renew: '更新在线元数据',
  renewEffect: '立即重新签署 Snapshot 与 Timestamp。车辆无感知。',
  ceremony: '离线角色的签署仪式',
  ceremonyHint: '私钥绝不接触此控制台。中间一行在持有密钥的机器上运行，其余在服务器上运行：',
  ceremonyEnd:
    '然后在此处发布 signed/方言.targets.json 文件，或用 immota key publish 发布该请求。签署 Root 时，第一行改用 immota key root。',
  publish: '发布已签名元数据',
  publishEffect:
    '将检查 {{files}} 个文件并在 {{repository}} 仓库生效。车辆会拒绝的内容在此即被拒绝。',
  repository: '仓库',
  files: '已签名文件（JSON）',
  authorities: '证书颁发机构',
  authority: '机构',
  serial: '序列号',
  certificates: '即将到期的车辆证书',
  month: '月份',
  count: '数量',
  revoked: '已吊销',
  certificatesLabel: '按月统计即将到期的车辆证书',
};
