import type { rxswin as EN } from '../en/rxswin.ts';
import type { Shape } from '../shape.ts';

/** The RXSWIN register. */
export const rxswin: Shape<typeof EN> = {
  title: 'RXSWIN 登记册',
  lead: '每个 RXSWIN 对应的软件及其变更前后状态。永久保存，哈希链接 {R156 7.1.2.3}。',
  regulation: '法规',
  rxswin: 'RXSWIN',
  before: '之前',
  release: '发布',
  approval: '批准号',
  software: '变更后软件',
  softwareBefore: '变更前软件',
  vehicles: '车辆',
  disagreeing: '不一致',
  since: '自',
  empty: '尚未登记 RXSWIN',
  emptyHint: '首个声明 RXSWIN 的发布会使其出现。',
};
