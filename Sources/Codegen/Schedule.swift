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
  public var target: Target
  /// The operand whose buffer the only result takes over, if it does.
  public var operandTakenOver: Int?

  public init(
    body: Graph, anchor: Fusion.Anchor, name: String, sources: [String], constants: [Literal?], target: Target,
    operandTakenOver: Int? = nil
  ) {
    self.body = body
    self.anchor = anchor
    self.name = name
    self.sources = sources
    self.constants = constants
    self.target = target
    self.operandTakenOver = operandTakenOver
  }
}

/// The kernels that compute one fusion, in order.
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

  public var launches: [Launch]
  public var temporaries: [TensorType]
  public var constants: [Literal]

  public init(launches: [Launch], temporaries: [TensorType] = [], constants: [Literal] = []) {
    self.launches = launches
    self.temporaries = temporaries
    self.constants = constants
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
    .update, .contraction, .convolution, .channelWindow, .row, .column, .scatter, .sort, .selectAndScatter, .loop,
  ]
}
