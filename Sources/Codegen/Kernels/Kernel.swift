public import IR

/// A value inside a kernel: defined once, a scalar or a vector.
public struct Register: Hashable, Sendable {
  public let index: Int
  public init(_ index: Int) { self.index = index }
}

/// What a register holds: `lanes` elements of one type; one lane is a scalar.
public struct RegisterType: Hashable, Sendable, CustomStringConvertible {
  public var element: ElementType
  public var lanes: Int

  public init(_ element: ElementType, lanes: Int = 1) {
    self.element = element
    self.lanes = lanes
  }

  public var description: String { lanes == 1 ? "\(element)" : "<\(lanes) x \(element)>" }
}

/// Memory that a kernel reads or writes; positions in it count elements.
public enum Memory: Hashable, Sendable {
  /// The kernel's parameter with this position.
  case buffer(Int)
  /// A small array of the kernel's own, alive while one task runs; each item of the task has its own.
  case scratch(Int)
  /// A small array that the items of a task share, alive while it runs.
  case shared(Int)
}

/// One operation; lane by lane unless it says otherwise.
///
/// Index expressions are over the kernel's symbols and its variables; in a vector's, `.lane` is the lane's number.
public enum Operation: Hashable, Sendable {
  /// The same value in all lanes.
  case constant(Scalar)
  /// A primitive scalar function. Operands have the same number of lanes. Never arithmetic on floats narrower than f32:
  /// those types are only converted, moved, selected and compared.
  case apply(ScalarFunction, [Register])
  /// `a * b + c`, rounded once.
  case multiplyAdd(Register, Register, Register)
  /// As many consecutive elements as the register has lanes. Where `mask` is false nothing is read and the lane is 0.
  case load(Memory, at: IntegerExpression, mask: Register?)
  /// One element for each lane, at the positions in an i64 register. Where `mask` is false nothing is read.
  case gather(Memory, at: Register, mask: Register?)
  /// The integer an expression has, as i64; in each lane with its own `.lane`.
  case index(IntegerExpression)
  /// A scalar in all lanes.
  case broadcast(Register)
  case extract(Register, lane: Int)
  /// All lanes combined, pair by pair (halves first), with an associative function.
  case fold(ScalarFunction, Register)
  /// Lanes of `a` followed by those of `b`, picked by position.
  case shuffle(Register, Register, [Int])
  /// In each lane one of 32 f32 numbers; the low five bits of an i32 say which.
  case lookup([Float], Register)
  /// In each lane the first times two to the power of the second, an integer as a float; rounded once. Only where the target
  /// has the instruction.
  case timesPowerOfTwo(Register, Register)
  /// The values of all items of the task combined with an associative and commutative function, in every item. All
  /// items arrive here, as at a barrier.
  case foldItems(ScalarFunction, Register)
  /// What another item of the subgroup has in the register: the one whose number in the group an i32 says. A subgroup are
  /// neighbours, `Kernel.subgroupItemCount` of them. All items arrive here, as at a barrier.
  case exchange(Register, from: Register)
  /// The bytes of all lanes in order, each four of them as an i32; the lowest byte comes first.
  case words(Register)
  /// The upper halves of two vectors of words, lane by lane side by side, the first vector's first.
  case upperHalves(Register, Register)
  /// In each lane of i32, the third plus the products of the four bytes of the first with those of the second; sums wrap.
  case byteProducts(BytePair, Register, Register, Register)
  /// In each lane of i32, the third plus the products of the two i16 of the first, a word, with those of the second; sums wrap.
  case shortProducts(Register, Register, Register)
  /// In each lane of f32, the third plus the products of the two bf16 of the first, a word, with those of the second. Numbers
  /// below 2^-126 count as zero. Only where the target has the instruction.
  case bfloatProducts(Register, Register, Register)
  /// A product of fragments of two-byte floats, added to one of f32 (see `Fragment`). All items of the task arrive here; what
  /// each run of 32 of them has is a product of its own. Only where the target has work-groups and tiles.
  case fragmentProduct(TileFormat, Register, Register, Register)
}

/// The parts of matrices that 32 items hold together: item `4 g + p` of a run has
///
/// * of 16 rows and 16 steps of the depth four words: the steps 2p and 2p + 1 of the rows g and g + 8, then the steps 2p + 8
///   and 2p + 9 of both; a word is two elements, the lower half first;
/// * of 16 steps of the depth and 8 columns two words: the steps 2p and 2p + 1 of column g, then 2p + 8 and 2p + 9;
/// * of 16 rows and 8 columns of sums four f32: the columns 2p and 2p + 1 of row g, then of row g + 8.
public enum Fragment {
  public static let rows = 16
  public static let columns = 8
  public static let depth = 16
  /// Items that hold a fragment together.
  public static let itemCount = 32
}

/// Which of two words hold signed bytes.
public struct BytePair: Hashable, Sendable {
  public var leftIsSigned: Bool
  public var rightIsSigned: Bool

  public init(leftIsSigned: Bool, rightIsSigned: Bool) {
    self.leftIsSigned = leftIsSigned
    self.rightIsSigned = rightIsSigned
  }
}

/// A tile register: 16 rows of 64 bytes. There are eight.
public struct Tile: Hashable, Sendable {
  public static let count = 8
  public static let rowCount = 16
  /// f32 elements in a row.
  public static let laneCount = 16
  public static let byteCount = 1024

  public let index: Int

  public init(_ index: Int) {
    precondition((0..<Tile.count).contains(index), "there are \(Tile.count) tile registers")
    self.index = index
  }
}

/// What is done with tile registers; positions and strides count elements of the memory.
public enum TileOperation: Hashable, Sendable {
  case zero(Tile)
  /// 64 bytes for each row; rows lie `stride` apart.
  case load(Tile, Memory, at: IntegerExpression, stride: IntegerExpression)
  case store(Tile, Memory, at: IntegerExpression, stride: IntegerExpression)
  /// `sum[m][n] += a[m][2k] * b[k][2n] + a[m][2k + 1] * b[k][2n + 1]` over all k: `a` has 16 rows of 32 two-byte elements,
  /// `b` a row for each pair of them, with the pairs of 16 columns.
  case multiplyAdd(TileFormat, sum: Tile, Tile, Tile)
}

/// One step of a kernel.
public indirect enum Statement: Hashable, Sendable {
  case define(Register, Operation)
  /// Writes consecutive elements; where `mask` is false nothing is written.
  case store(Register, Memory, at: IntegerExpression, mask: Register?)
  /// Writes one element for each lane, at the positions in an i64 register, in lane order.
  case scatter(Register, Memory, at: Register, mask: Register?)
  /// Combines a scalar with an element of 32 bits and keeps the result there, as one step for all items; only where the
  /// target has work-groups.
  case atomic(ScalarFunction, Register, Memory, at: IntegerExpression, mask: Register?)
  /// Asks for the cache line of an element that will be read soon, in a level of the cache. No element need be there.
  case prefetch(Memory, at: IntegerExpression, into: Target.Level)
  case loop(Loop)
  /// Runs one of two lists of statements; the condition is a scalar i1.
  case branch(Register, then: [Statement], else: [Statement])
  case tile(TileOperation)
  /// No item of the task goes on before all have arrived, and what they wrote before is seen by all. The loops and
  /// branches around it are the same for all items.
  case barrier
}

/// A counted loop that carries values from one iteration to the next.
public struct Loop: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case serial
    /// The bounds are constants and the body is repeated in the code.
    case unrolled
  }

  /// A value that iterations hand on.
  public struct Carried: Hashable, Sendable {
    /// The value before the first iteration.
    public var initial: Register
    /// The value inside the body.
    public var current: Register
    /// What the body hands to the next iteration.
    public var next: Register
    /// The value after the last iteration; `initial` if there is none.
    public var result: Register
  }

  public var kind: Kind
  /// The number of the variable that counts; it is the atom `.variable(variable)` in index expressions.
  public var variable: Int
  public var lower: IntegerExpression
  public var upper: IntegerExpression
  public var step: Int
  public var carried: [Carried]
  public var body: [Statement]
}

/// A loop nest that computes one fusion: what an emitter turns into code without deciding anything.
///
/// A task is run by one item or, on machines with work-groups, by several at once: then the body runs in each of them,
/// with its own registers and scratch, and `.item` tells them apart.
public struct Kernel: Hashable, Sendable {
  public struct Buffer: Hashable, Sendable {
    public var name: String
    public var elementType: ElementType
    public var isWritten: Bool

    public init(name: String, elementType: ElementType, isWritten: Bool) {
      self.name = name
      self.elementType = elementType
      self.isWritten = isWritten
    }
  }

  public struct Scratch: Hashable, Sendable {
    public var elementType: ElementType
    public var elementCount: Int
  }

  public var name: String
  /// The ops it comes from and their places, for comments, explanations and profiles.
  public var sources: [String]
  public var buffers: [Buffer]
  public var scratch: [Scratch]
  /// Arrays that the items of a task share.
  public var shared: [Scratch] = []
  /// The independent tasks the body is split into; the body runs once for each, in any order, on any thread.
  public var taskCount: Extent
  /// The items that run one task together; more than one only where the target has work-groups.
  public var itemCount = 1
  /// The items of a subgroup where they can read each other's registers, else 1. They divide the task's items.
  public var subgroupItemCount = 1
  /// The variable that numbers the task.
  public static let taskVariable = 0
  /// The variable that numbers the item of the task.
  public static let itemVariable = -2
  public var body: [Statement]
  /// Conditions of branches that hold but for unusual data; the cost model takes them for true.
  public var usualConditions: Set<Register> = []
  /// By register index.
  public var registerTypes: [RegisterType]
  /// Variables that stand for the value of an i64 register (of any number of lanes), by variable.
  public var registerVariables: [Int: Register]
  /// Work of one task in operations, as the schedule counts them.
  public var taskCost: Extent
  /// What one of these operations is expected to take, in picoseconds.
  public var operationTime = 60
  /// The time that one task is expected to take a core, in picoseconds.
  public var taskTime: Extent { taskCost * operationTime }

  public func type(of register: Register) -> RegisterType { registerTypes[register.index] }

  /// A thread gets tasks of at least so many picoseconds together.
  public static let timePerThread = 2_500_000
  /// The products in tiles or fragments in the kernel: what a processor or device must offer to run it.
  public var tileFormats: Set<TileFormat> {
    var formats: Set<TileFormat> = []
    func visit(_ statement: Statement) {
      switch statement {
      case .tile(.multiplyAdd(let format, sum: _, _, _)): formats.insert(format)
      case .define(_, .fragmentProduct(let format, _, _, _)): formats.insert(format)
      case .loop(let loop): loop.body.forEach(visit)
      case .branch(_, let then, let otherwise): (then + otherwise).forEach(visit)
      case .define, .store, .scatter, .atomic, .prefetch, .tile, .barrier: break
      }
    }
    body.forEach(visit)
    return formats
  }
}

extension IntegerExpression {
  /// The number of the lane, in a vector's index expressions.
  public static let lane = IntegerExpression.variable(-1)

  /// The number of the item among those that run the task.
  public static let item = IntegerExpression.variable(Kernel.itemVariable)

  /// The number of the task.
  public static let task = IntegerExpression.variable(Kernel.taskVariable)
}
