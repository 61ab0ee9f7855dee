/** Chinese, simplified. */
import type { ConsentWords, Minutes } from './consent-words.ts';

const range = ({ low, high }: Minutes): string =>
  low === high ? `约 ${high} 分钟` : `${low} 至 ${high} 分钟`;

/** See `ConsentWords`. */
export const CHINESE: ConsentWords = {
  nothingWritten: '您的车辆有可用的软件更新。',
  headings: {
    purpose: '更新目的',
    changes: '更新内容',
    time: '所需时间',
    unavailable: '期间不可用的功能',
    instructions: '您需要做什么',
    terms: '如果您选择等待',
  },
  purposes: {
    recall: '召回：本次更新消除制造商已向主管部门报告的缺陷。',
    safety: '行车安全：本次更新使车辆更安全。',
    security: '网络安全：本次更新封堵攻击者可利用的漏洞。',
    improvement: '功能改进：不更新车辆同样安全。',
  },
  noChanges: '制造商未列出使用方式上的变化。',
  allWorks: '所有功能均可正常使用。',
  noInstructions: '您无需做任何准备。',
  ask: {
    download: '是否允许车辆下载本次更新？',
    install: '是否允许车辆安装本次更新？',
    activate: '是否允许车辆重启并启用本次更新？',
  },
  roles: {
    owner: '车主',
    driver: '驾驶人',
    fleet: '车队管理员',
    workshop: '维修店',
    renter: '租车人',
    valet: '代客泊车员',
  },
  stepEffect: {
    download: '下载期间可以正常驾驶。安装之前会再次征求您的同意。',
    install: '安装期间可以正常驾驶。重启之前会再次征求您的同意。',
    activate: '在重启完成之前，车辆必须保持驻车状态。',
  },
  downloadSize: (megabytes) => `下载大小为 ${megabytes} MB。`,
  prepareTime: (minutes) => `安装需要${range(minutes)}。`,
  unusableTime: (minutes) => `重启期间车辆有${range(minutes)}无法驾驶。`,
  mayRefuse: '您可以拒绝。拒绝后车辆保持现状。',
  mayRefuseUntil: (date) => `您可以拒绝。拒绝后车辆在${date}之前保持现状。`,
  postponementsLeft: (left) => `您还可以推迟 ${left} 次。`,
  noPostponementLeft: '您不能再推迟，但仍可选择同意或拒绝。',
  mandatory: '制造商有义务为所有同类车辆安装本次更新。',
  lastDate: (date) => `您最晚可推迟到${date}。`,
  thenAsks: (date) => `${date}之后将请您选择同意或拒绝。未经同意，不会进行任何操作。`,
  thenInstalls: (date) =>
    `${date}之前由您决定时间。此后车辆将自行安装，并在夜间 1 点至 5 点驻车时重启。`,
  onlyWrittenIn: (language) => `制造商仅提供${language}文本。`,
};
