import type { audit as EN } from '../en/audit.ts';
import type { Shape } from '../shape.ts';

/** The audit log. */
export const audit: Shape<typeof EN> = {
  title: '审计日志',
  lead: '谁改了什么及原因。哈希链接：任何删除都会被发现。',
  kind: '类型开头',
  by: '操作者',
  from: '自',
  to: '至',
  at: '时间',
  what: '内容',
  details: '详情',
  hash: '哈希',
  verify: '校验链',
  intact: '链完整：已校验 {{checked}} 条，头 {{head}}。',
  broken: '链已损坏',
  empty: '没有符合的条目',
  emptyHint: '移除筛选条件。',
};
