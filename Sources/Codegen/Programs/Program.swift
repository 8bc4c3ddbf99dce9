public import IR

/// A buffer of a program.
public struct BufferID: Hashable, Sendable {
  public let index: Int
  public init(_ index: Int) { self.index = index }
}

/// Everything the code emitters need to know of a compiled function: buffers, constants, kernels, and the order of launches.
public struct Program: Hashable, Sendable {
  /// Where a buffer's bytes are.
  public enum Place: Hashable, Sendable {
    case input(Int)
    case output(Int)
    /// In the constants, from this byte on.
    case constant(byteOffset: Int)
    /// In the arena, from this byte on; a multiple of `Program.alignment` for all values of the symbols.
    case arena(byteOffset: Extent)
  }

  public struct Buffer: Hashable, Sendable {
    public var type: TensorType
    public var place: Place
  }

  /// A constant's bytes, at a multiple of `Program.alignment`.
  public struct Constant: Hashable, Sendable {
    public var byteOffset: Int
    public var value: Literal
  }

  public struct Launch: Hashable, Sendable {
    /// Index into `kernels`.
    public var kernel: Int
    /// One for each of the kernel's parameters.
    public var buffers: [BufferID]
  }

  /// What is known only when the program runs, before a step.
  public enum Condition: Hashable, Sendable {
    /// The processor has tile registers with this product, and the system lets the process use them.
    case hasTiles(TileFormat)
    case atLeast(Extent, Int)
    /// The scalar i1 in the buffer.
    case holds(BufferID)
  }

  /// How often a round is run before its predicate is read: at first, how much more often each time, and at most.
  public struct RoundsAhead: Hashable, Sendable {
    public var first: Int
    public var growth: Int
    public var most: Int

    public init(first: Int, growth: Int, most: Int) {
      self.first = first
      self.growth = growth
      self.most = most
    }
  }

  /// One step of the host program.
  public indirect enum Step: Hashable, Sendable {
    case launch(Launch)
    /// The first buffer's bytes into the second, which has as many.
    case copy(from: BufferID, to: BufferID)
    /// Runs `condition`, then, while the i1 in `predicate` is true, `body` and `condition` again.
    case loop(condition: [Step], predicate: BufferID, body: [Step])
    /// Runs `body` so many times; not at all where the count is no positive number.
    case repetition(count: Extent, body: [Step])
    /// Runs `round` several times, then, while the i1 in `predicate` is true, again and again.
    case roundsAhead(RoundsAhead, round: [Step], predicate: BufferID)
    /// Runs the branch whose number is in `index`: an i32 (out of range: the last), or an i1 (true: the first of two).
    case branch(index: BufferID, branches: [[Step]])
    /// Runs one of two lists of steps that compute the same.
    case choice(Condition, then: [Step], otherwise: [Step])
    /// Runs lists of steps, which may run side by side: none touches what another writes. None is empty.
    case concurrent([[Step]])
    case bands(Bands)
    /// Decides an extent; only in the program's own list of steps.
    case size(Size)
  }

  /// What a scalar decides while the program runs.
  public struct Size: Hashable, Sendable {
    /// The integer that says the size.
    public var scalar: BufferID
    /// A symbol that gets its value here, or an expression that must be equal to it.
    public var extent: Extent
    public var isDefinition: Bool
    /// The least and the most that it may be.
    public var least: Int
    public var most: Extent
    /// The number of the check that fails where it is not.
    public var check: Int
    /// What is known to hold or not to hold from here on.
    public var checks: [NumberedCheck] = []
  }

  /// A check, and the place of its sentence.
  public struct NumberedCheck: Hashable, Sendable {
    public var check: Check
    public var number: Int
  }

  /// That one extent is at most another, unless one of some is zero or less.
  public struct Check: Hashable, Sendable {
    public var order: ExtentOrder
    public var exceptions: [Extent]
    /// What a caller is told where it does not hold.
    public var sentence: String

    public init(_ order: ExtentOrder, exceptions: [Extent], sentence: String) {
      self.order = order
      self.exceptions = exceptions
      self.sentence = sentence
    }

    var symbols: Set<Symbol> {
      ([order.lesser, order.greater] + exceptions).reduce(into: []) { $0.formUnion($1.symbols) }
    }
  }

  /// Every buffer in the arena and every constant begins at a multiple of this many bytes.
  public static let alignment = 64

  public var name: String
  /// The run-time integers, in the order in which the program receives their values: those that it decides itself, which come
  /// last, as the most that they can be.
  public var symbols: [Symbol]
  public var buffers: [Buffer]
  public var constants: [Constant]
  public var kernels: [Kernel]
  public var steps: [Step]
  public var arenaByteCount: Extent
  public var inputs: [BufferID]
  public var outputs: [BufferID]
  /// For each output, the input that a caller may give the same memory as, if any; empty for none at all.
  public var aliases: [Int?] = []
  /// The last of the symbols.
  public var dataSymbols: [DataSymbol] = []
  /// What a check of the program says where it fails, by number.
  public var checkSentences: [String] = []
}
