public import IR

/// A fusion to be scheduled, with what is known about its operands.
public struct SchedulingRequest: Sendable {
  /// The group of nodes; its parameters are the operands.
  public var body: Graph
  public var anchor: Fusion.Anchor
  /// A name for the kernels, unique in the program.
  public var name: String
  /// The ops the kernel comes from, with their places.
  public var sources: [String]
  /// For each operand, its value if it is a constant.
  public var constants: [Literal?]
  /// For each operand, whether it is a constant, even where its value does not matter.
  var isConstant: [Bool]
  public var target: Target
  public var precision: ProductPrecision
  /// The operand whose buffer the only result takes over, if it does.
  public var operandTakenOver: Int?
  /// Of each line that a sort orders, how many elements are read, from the first on; nil for all.
  public var neededPrefix: Int?

  public init(
    body: Graph, anchor: Fusion.Anchor, name: String, sources: [String], constants: [Literal?], target: Target,
    precision: ProductPrecision = .f32, operandTakenOver: Int? = nil
  ) {
    self.body = body
    self.anchor = anchor
    self.name = name
    self.sources = sources
    self.constants = constants
    isConstant = constants.map { $0 != nil }
    self.target = target
    self.precision = precision
    self.operandTakenOver = operandTakenOver
  }
}

/// The kernels that compute one fusion, and their order.
public struct ScheduledFusion: Sendable {
  /// What a kernel's buffer is bound to.
  public enum Argument: Hashable, Sendable {
    case operand(Int)
    case result(Int)
    /// Memory that only this fusion's kernels use.
    case temporary(Int)
    /// A constant the schedule made, such as packed weights.
    case constant(Int)
  }

  public struct Launch: Sendable {
    public var kernel: Kernel
    public var arguments: [Argument]

    public init(_ kernel: Kernel, _ arguments: [Argument]) {
      self.kernel = kernel
      self.arguments = arguments
    }
  }

  /// What is known only when the program runs.
  public enum Condition: Hashable, Sendable {
    case hasTiles(TileFormat)
    case atLeast(Extent, Int)
    /// The scalar i1 in a temporary.
    case holds(Argument)
  }

  public indirect enum Step: Sendable {
    case launch(Launch)
    /// One of two lists of steps that compute the same.
    case choice(Condition, then: [Step], otherwise: [Step])
  }

  public var steps: [Step]
  public var temporaries: [TensorType]
  public var constants: [Literal]

  public init(launches: [Launch], temporaries: [TensorType] = [], constants: [Literal] = []) {
    steps = launches.map { .launch($0) }
    self.temporaries = temporaries
    self.constants = constants
  }

  public mutating func append(_ launches: Launch...) { steps += launches.map { .launch($0) } }
  public mutating func append(_ launches: [Launch]) { steps += launches.map { .launch($0) } }

  /// Memory for a tensor that only this fusion's kernels use.
  public mutating func addTemporary(_ type: TensorType) -> Argument {
    temporaries.append(type)
    return .temporary(temporaries.count - 1)
  }

  public mutating func addConstant(_ value: Literal) -> Argument {
    constants.append(value)
    return .constant(constants.count - 1)
  }
}

extension ScheduledFusion.Step {
  /// Whether a kernel of the step has this argument.
  func uses(_ argument: ScheduledFusion.Argument) -> Bool {
    switch self {
    case .launch(let launch): launch.arguments.contains(argument)
    case .choice(_, let then, let otherwise): (then + otherwise).contains { $0.uses(argument) }
    }
  }

  /// The step with another argument for `old`.
  func replacing(_ old: ScheduledFusion.Argument, by new: ScheduledFusion.Argument) -> Self {
    switch self {
    case .launch(var launch):
      launch.arguments = launch.arguments.map { $0 == old ? new : $0 }
      return .launch(launch)
    case .choice(let condition, let then, let otherwise):
      return .choice(
        condition, then: then.map { $0.replacing(old, by: new) },
        otherwise: otherwise.map { $0.replacing(old, by: new) })
    }
  }
}

extension [ScheduledFusion.Step] {
  /// The steps where all conditions hold, else `otherwise`.
  static func choosing(
    _ conditions: [ScheduledFusion.Condition], _ steps: [ScheduledFusion.Step], else otherwise: [ScheduledFusion.Step]
  ) -> [ScheduledFusion.Step] {
    conditions.reversed().reduce(steps) { [.choice($1, then: $0, otherwise: otherwise)] }
  }

  /// The last launch where no condition holds.
  var lastLaunch: ScheduledFusion.Launch? {
    switch last {
    case .launch(let launch): launch
    case .choice(_, _, let otherwise): otherwise.lastLaunch
    case nil: nil
    }
  }
}

/// A way to turn a fusion into loop nests. All decisions on tiling, vector width, packing and threading are made here.
public struct Schedule: Sendable {
  public let name: String
  /// The kernels for a fusion, or nil where the schedule does not fit it.
  public let kernels: @Sendable (SchedulingRequest) -> ScheduledFusion?

  public init(_ name: String, _ kernels: @escaping @Sendable (SchedulingRequest) -> ScheduledFusion?) {
    self.name = name
    self.kernels = kernels
  }

  /// Tried in order; the first that fits is used. `loop` fits whatever has elements that can be computed one by one.
  public static let order: [Schedule] = [
    .update, .attention, .contraction, .byteConvolution, .lineConvolution, .convolution, .channelWindow, .lineWindow,
    .copiedWindow, .interleavedRow, .row, .column, .scan, .fourier, .scatter, .sortedPrefix, .sort,
    .selectAndScatter, .transpose, .interleave, .crossed, .loop,
  ]

  /// The same for machines with work-groups.
  public static let orderWithWorkGroups: [Schedule] = [
    .update, .groupAttention, .groupContraction, .groupConvolution, .groupRow, .groupColumn, .groupFold, .gridScatter,
    .groupScan, .groupSort, .sort, .selectAndScatter, .groupTranspose, .loop,
  ]

  /// The kernels of the first schedule that fits the fusion, and the device if there is one.
  static func scheduled(_ request: SchedulingRequest) -> ScheduledFusion? {
    guard let device = request.target.workGroups else { return order.lazy.compactMap { $0.kernels(request) }.first }
    return orderWithWorkGroups.lazy.compactMap { $0.kernels(request) }.first { $0.steps.fit(device) }
  }
}
