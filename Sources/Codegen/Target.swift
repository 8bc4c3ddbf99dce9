/// What schedules know of the machine that kernels are made for.
public struct Target: Hashable, Sendable {
  /// LLVM's name of the processor: `native`, `x86-64-v3`, …
  public var cpu: String
  /// Bytes in a vector register.
  public var vectorByteCount: Int
  public var vectorRegisterCount: Int
  public var hasMultiplyAdd: Bool
  /// Whether looking up 32 numbers takes an instruction.
  public var hasLookup: Bool
  public var l1ByteCount: Int
  public var l2ByteCount: Int

  public init(
    cpu: String, vectorByteCount: Int, vectorRegisterCount: Int, hasMultiplyAdd: Bool, hasLookup: Bool = false,
    l1ByteCount: Int = 32 << 10, l2ByteCount: Int = 1 << 20
  ) {
    self.cpu = cpu
    self.vectorByteCount = vectorByteCount
    self.vectorRegisterCount = vectorRegisterCount
    self.hasMultiplyAdd = hasMultiplyAdd
    self.hasLookup = hasLookup
    self.l1ByteCount = l1ByteCount
    self.l2ByteCount = l2ByteCount
  }

  /// Bytes that memory and caches exchange at once.
  static let cacheLineByteCount = 64

  /// How many elements of `byteCount` bytes a vector holds; at least one.
  public func lanes(byteCount: Int) -> Int { max(1, vectorByteCount / byteCount) }
}
