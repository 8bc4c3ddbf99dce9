import IR
import Testing

@testable import Codegen

/// Indices and starts that data gives.
@Suite struct IndexTests {
  /// `x` plus a number that has no i64: integers from 2^63 on lie behind every tensor, not before it.
  private static func beyond(_ x: ValueID, _ g: inout Graph) throws -> ValueID {
    let type = g.type(of: x)
    let dimensions = type.dimensions.compactMap(\.fixed)
    let distance = Literal(.ui64, dimensions, splat: .integer(Int64(bitPattern: 0xFFFF_FFFF_0000_0000)))
    return try g.append(.pointwise(.add), [x, try g.append(.constant(distance))])
  }

  @Test(arguments: ["native", "x86-64-v3", "x86-64-v2"]) func startsBeyondSignedIntegers(cpu: String) throws {
    let types = [f32(8), f32(3), TensorType(.ui64, [])]
    for isBeyond in [false, true] {
      try ScheduleCase(types) { g, x in
        let start = isBeyond ? try Self.beyond(x[2], &g) : x[2]
        return [try g.append(.dynamicSlice(DynamicSlice(sliceExtents: [3])), [x[0], start])]
      }.check(.loop, cpu: cpu)
      try ScheduleCase(types) { g, x in
        let start = isBeyond ? try Self.beyond(x[2], &g) : x[2]
        return [try g.append(.dynamicUpdateSlice(DynamicUpdateSlice()), [x[0], x[1], start])]
      }.check(.loop, cpu: cpu)
    }
  }

  @Test(arguments: ["native", "x86-64-v3", "x86-64-v2"]) func indicesBeyondSignedIntegers(cpu: String) throws {
    let gather = Gather(
      offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 1, sliceExtents: [1])
    try ScheduleCase([f32(11), TensorType(.ui64, [19])]) { g, x in
      [try g.append(.gather(gather), [x[0], try Self.beyond(x[1], &g)]), try g.append(.gather(gather), x)]
    }.check(.loop, cpu: cpu)
  }
}
