/** Chinese, simplified. */
import type { ScreenWords } from './screen-words.ts';

/** See `ScreenWords`. */
export const CHINESE: ScreenWords = {
  labels: {
    product: '车辆软件',
    skip: '跳到正文',
    language: '语言',
    update: '更新',
    history: '历史记录',
    noHistory: '尚未安装过更新。',
    back: '返回',
    pairHeadline: '连接此屏幕',
    pairExplanation: '请输入车辆显示的代码。代码仅可使用一次，并向车辆表明您的身份。',
    pairField: '代码',
    pairButton: '连接',
    accept: { download: '是，下载', install: '是，立即安装', activate: '是，立即重启' },
    decline: '否',
    later: '稍后询问',
    laterQuestion: '何时再次询问？',
    inAnHour: '一小时后',
    tomorrow: '明天 8:00',
    whenQuestion: '何时开始？',
    otherTime: '是，另选时间',
    pickTime: '车辆所在地的日期和时间',
    confirmTime: '确认此时间',
    cancel: '取消',
    reconsider: '更改此决定',
    done: '完成',
    signOut: '断开此屏幕',
    whatChanged: '更新内容',
    manual: '请查阅用户手册',
    decisions: '决定人',
    offline: '与车辆的连接已断开，正在自动重新连接。',
    sending: '请稍候……',
    people: '人员',
    peopleExplanation: '让其他人连接屏幕。可决定的内容取决于其身份。',
    invite: '生成代码，用于',
    invited: '此代码仅可使用一次：',
  },
  badges: { recall: '召回', safety: '行车安全', security: '网络安全', improvement: '功能改进' },
  steps: { download: '下载', install: '安装', activate: '重启' },
  stepOf: (number, name) => `第 ${number} 步，共 3 步：${name}`,
  youAre: (role) => `您的身份：${role}。`,
  whoDecides: (roles) => `您可以阅读，但决定权属于${roles}。`,
  joinOr: (names) => new Intl.ListFormat('zh', { type: 'disjunction' }).format(names),
  tonight: (time) => `是，今夜 ${time}`,
  driving: {
    headline: '祝您一路平安',
    sentences: ['车辆未驻车时，此处不显示需要阅读或决定的内容。'],
  },
  idle: { headline: '您的车辆已是最新版本', sentences: ['无需任何操作。'] },
  unchecked: { headline: '尚无结果', sentences: ['车辆尚未检查更新，会自动检查。'] },
  lastChecked: (date) => `上次检查时间：${date}。`,
  working: {
    download: {
      headline: '正在下载',
      sentences: ['期间可以正常驾驶。连接中断后会从中断处继续。'],
    },
    install: {
      headline: '正在后台安装',
      sentences: ['期间可以正常驾驶。重启之前会再次征求您的同意。'],
    },
    activate: {
      headline: '正在重启并启用新软件',
      sentences: ['请保持驻车。完成之前车辆无法驾驶。', '如果出现问题，车辆会恢复到之前的状态。'],
    },
    'roll-back': {
      headline: '正在恢复到之前的状态',
      sentences: ['某个部件未能正常启动，车辆正在自动撤销更新。', '完成之前请保持驻车。'],
    },
    check: { headline: '请稍候', sentences: ['车辆正在确认更新真实且适用。'] },
  },
  remaining: ({ low, high }) => {
    if (high <= 1) return '剩余不到 1 分钟';
    return low === high ? `剩余约 ${high} 分钟` : `剩余 ${low} 至 ${high} 分钟`;
  },
  overdue: '所需时间比预计更长。没有任何数据丢失，车辆会自动继续。',
  interrupted: '车辆曾被中断，正在完成已开始的工作。',
  agreedFor: (step, date) => ({
    headline: step === 'activate' ? `将于${date}重启` : `将于${date}安装`,
    sentences: [
      step === 'activate'
        ? '届时车辆必须处于驻车状态，否则会等到驻车为止。'
        : '在此之前以及安装期间均可驾驶。重启之前会再次征求您的同意。',
    ],
  }),
  postponedUntil: (date) => ({
    headline: '已推迟',
    sentences: [`将于${date}再次询问。在此之前车辆保持现状。`],
  }),
  declined: {
    headline: '您已拒绝',
    sentences: ['车辆保持现状。不会再就本次更新询问您。'],
  },
  answered: {
    headline: '谢谢',
    sentences: ['您的答复已记录。车辆连接到制造商服务器后会继续。'],
  },
  waiting: {
    conditions: {
      headline: '即将可以重启',
      sentences: ['满足以下条件后，车辆会自动继续：'],
    },
    campaign: {
      headline: '条件尚未满足',
      sentences: ['本次更新要求的条件目前未满足，例如电池电量。满足后会自动继续；您可以正常驾驶。'],
    },
    unreadable: {
      headline: '更新无法开始',
      sentences: ['车辆无法理解本次更新的要求。制造商会得到通知；您无需任何操作。'],
    },
    hours: {
      headline: '更新正在等待规定时段',
      sentences: ['制造商只允许在规定的时段切换，届时会自动继续；您可以正常驾驶。'],
    },
    metered: {
      headline: '更新正在等待其他网络',
      sentences: ['更新不会使用移动数据下载。请将车辆停在有 Wi-Fi 的地方，更新会自动继续。'],
    },
    ended: {
      headline: '不再提供此更新',
      sentences: ['更新期限已过，未做任何更改。您无需任何操作。'],
    },
    network: {
      headline: '无网络连接',
      sentences: ['车辆无法连接制造商服务器，会自动重试。您可以正常驾驶。'],
    },
    storage: {
      headline: '存储空间不足',
      sentences: ['车辆没有空间存放本次更新。可以安全驾驶；维修店可以提供帮助。'],
    },
    ecu: {
      headline: '有部件没有响应',
      sentences: ['更新会等到所有部件都响应。车辆保持之前的状态。', '如果持续如此，请联系维修店。'],
    },
    technician: {
      headline: '需要维修店协助',
      sentences: ['本次更新的一部分由技术人员完成。请预约。'],
    },
    exhausted: {
      headline: '更新未能安装',
      sentences: [
        '已多次尝试。您的车辆保持之前的状态，可以安全驾驶。',
        '制造商已知悉。维修店可以提供帮助。',
      ],
    },
    refused: {
      headline: '已拒绝一个更新',
      sentences: [
        '无法证明其真实性，因此未安装任何内容。您的车辆保持之前的状态，可以安全驾驶。',
        '制造商会得到通知。您无需任何操作。',
      ],
    },
    question: {
      headline: '有一个问题等待您答复',
      sentences: ['车辆连接到制造商服务器后会在此询问。'],
    },
    other: {
      headline: '更新正在等待',
      sentences: ['车辆会自动重试。车辆保持之前的状态，可以安全驾驶。'],
    },
  },
  conditions: {
    'no-emergency-call': '没有正在进行的紧急呼叫。',
    'standing-still': '车辆静止。',
    'gear-park': '挡位处于 P 挡。',
    'parking-brake': '驻车制动已拉紧。',
    'not-starting': '没有人正在启动车辆。',
    'not-charging': '车辆未在充电。',
    voltage: '12 V 蓄电池电量充足。',
    temperature: '温度既不过低也不过高。',
    'hood-closed': '发动机舱盖已关闭。',
  },
  otherCondition: '车辆可以暂时停用。',
  endings: (ending, ecus) => {
    if (ending === 'success') {
      return { headline: '更新已安装', sentences: ['所有部件均已使用新软件正常启动。'] };
    }
    if (ending === 'unchanged') {
      return {
        headline: '您的车辆保持之前的状态',
        sentences: [
          '更新未能安装，一切保持原样。车辆可以安全驾驶。',
          '制造商已知悉。您无需任何操作。',
        ],
      };
    }
    return {
      headline: '您的车辆需要送修',
      sentences: [
        `该部件的软件状态无法确定：${ecus}。`,
        '请勿驾驶。请联系维修店或道路救援，并出示此页面。',
      ],
    };
  },
  earlier: '更早',
  endingShort: { success: '已安装', unchanged: '未安装，保持原样', workshop: '需要送修' },
  decisionShort: { accepted: '是', declined: '否', postponed: '稍后' },
  refusals: {
    PAIRING_CODE: '代码不正确。请再次查看，可能已显示新代码。',
    SESSION: '此屏幕已断开连接。',
    RATE: '尝试次数过多，请稍等一分钟。',
    CROSS_SITE: '请求并非来自此页面，未执行任何操作。',
    DRIVING: '车辆未驻车，未做任何更改。',
    NOT_AUTHORISED: '您无权决定此事，未做任何更改。',
    POSTPONE_BUDGET: '不能再推迟，但仍可选择是或否。',
    TIME_NOT_ALLOWED: '无法选择该时间，请另选时间。',
    TEXT_CHANGED: '问题已发生变化，请重新阅读。',
    NOT_ASKED: '该问题已不再询问。',
    OTHER: '操作未成功，未做任何更改。',
  },
};
