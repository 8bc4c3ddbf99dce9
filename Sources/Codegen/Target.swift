/// The two-byte elements that a tile product multiplies; it sums them in f32.
public enum TileFormat: String, Hashable, Sendable, CaseIterable {
  case f16, bf16
}

/// What schedules know of the machine that kernels are made for.
public struct Target: Hashable, Sendable {
  /// LLVM's name of the processor: `native`, `x86-64-v3`, …
  public var cpu: String
  /// Bytes in a vector register.
  public var vectorByteCount: Int
  public var vectorRegisterCount: Int
  public var hasMultiplyAdd: Bool
  public var l1ByteCount: Int
  public var l2ByteCount: Int
  /// The products that the processor's tile registers offer. Whether a process may use them is known only when it runs.
  public var tileFormats: Set<TileFormat> = []

  public init(
    cpu: String, vectorByteCount: Int, vectorRegisterCount: Int, hasMultiplyAdd: Bool, l1ByteCount: Int = 32 << 10,
    l2ByteCount: Int = 1 << 20
  ) {
    self.cpu = cpu
    self.vectorByteCount = vectorByteCount
    self.vectorRegisterCount = vectorRegisterCount
    self.hasMultiplyAdd = hasMultiplyAdd
    self.l1ByteCount = l1ByteCount
    self.l2ByteCount = l2ByteCount
  }

  /// How many elements of `byteCount` bytes a vector holds; at least one.
  public func lanes(byteCount: Int) -> Int { max(1, vectorByteCount / byteCount) }
}
