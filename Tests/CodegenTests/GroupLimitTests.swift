import IR
import Testing

@testable import Codegen

/// Kernels need no more items and no more local memory than the device has that they are made for.
@Suite struct GroupLimitTests {
  private static func reduced(_ shape: [Extent], _ dimension: Int, _ type: ElementType) throws -> Graph {
    var graph = Graph()
    let x = graph.addParameter(TensorType(type, shape))
    let zero = try graph.append(.constant(.scalar(.real(0), type)))
    let sum = try graph.append(.reduce(Reduce(dimensions: [dimension], body: try sumBody(.add, type))), [x, zero])
    graph.results = [sum]
    return graph
  }

  private static func product(_ type: ElementType) throws -> Graph {
    var graph = Graph()
    let x = graph.addParameter(TensorType(type, [50, 70]))
    let y = graph.addParameter(TensorType(type, [70, 60]))
    let dimensions = Contraction(lhsContracting: [1], rhsContracting: [0])
    graph.results = [
      try graph.append(.dotGeneral(DotGeneral(dimensions, resultType: type)), [x, y])
    ]
    return graph
  }

  private static func transpose(_ type: ElementType) throws -> Graph {
    var graph = Graph()
    let x = graph.addParameter(TensorType(type, [50, 70]))
    graph.results = [try graph.append(.transpose(Transpose(permutation: [1, 0])), [x])]
    return graph
  }

  private static func kernels(_ graph: Graph, _ anchor: Fusion.Anchor, _ device: WorkGroups) throws -> [Kernel] {
    var target = Target(
      cpu: "device", vectorByteCount: 16, vectorRegisterCount: 32, hasMultiplyAdd: true, l1ByteCount: 16 << 10,
      l2ByteCount: 64 << 10)
    target.workGroups = device
    let fused = try ScheduleCase.fused(graph, anchor)
    return try Program(Function(name: "main", graph: fused), target: target).kernels
  }

  /// 96 is no power of two; no device has so little local memory as the last, on which nothing is shared.
  @Test(arguments: [1, 16, 32, 64, 96, 256, 1024], [0, 8 << 10, 16 << 10, 32 << 10, 64 << 10])
  func kernelsFitTheDevice(_ itemCount: Int, _ localByteCount: Int) throws {
    for (type, width) in [(ElementType.f32, 1), (.f64, 1), (.f32, min(itemCount, 16)), (.f64, min(itemCount, 32))] {
      let device = WorkGroups(
        itemCount: itemCount, localByteCount: localByteCount, subgroupItemCount: width, computeUnitCount: 4,
        hasShuffles: width > 1)
      var kernels = try Self.kernels(Self.product(type), .contraction, device)
      kernels += try Self.kernels(Self.transpose(type), .loop, device)
      for length in [Extent(1000), Extent(40000), .symbol("n")] {
        kernels += try Self.kernels(Self.reduced([3, length], 1, type), .reduction, device)
      }
      kernels += try Self.kernels(Self.reduced([200, 5], 0, type), .reduction, device)
      #expect(kernels.count >= 6)
      for kernel in kernels {
        #expect(kernel.itemCount <= itemCount, "\(kernel.name)")
        #expect(kernel.itemCount & (kernel.itemCount - 1) == 0, "\(kernel.name)")
        #expect(kernel.localByteCount <= device.arrayByteCount, "\(kernel.name)")
      }
    }
  }

  /// NVIDIA's driver adds 16 bytes to a kernel's arrays.
  @Test(arguments: [16, 32, 48, 64, 96]) func localMemoryIsNotFilled(kilobytes: Int) throws {
    let byteCount = kilobytes << 10
    for (type, precision) in [(ElementType.f16, ProductPrecision.f32), (.f32, .f32), (.f32, .bf16), (.f32, .fast)] {
      var target = Target(cpu: "device", vectorByteCount: 16, vectorRegisterCount: 32, hasMultiplyAdd: true)
      target.tileFormats = [.f16, .bf16]
      target.workGroups = WorkGroups(
        itemCount: 1024, localByteCount: byteCount, subgroupItemCount: 32, computeUnitCount: 132, hasShuffles: true)
      var graph = Graph()
      let operands = (0..<2).map { _ in graph.addParameter(TensorType(type, [4096, 4096])) }
      let dimensions = Contraction(lhsContracting: [1], rhsContracting: [0])
      graph.results = [try graph.append(.dotGeneral(DotGeneral(dimensions, resultType: .f32)), operands)]
      let fused = try ScheduleCase.fused(graph, .contraction)
      let kernels = try Program(Function(name: "main", graph: fused), target: target, precision: precision).kernels
      #expect(kernels.contains { $0.itemCount > 1 } && kernels.allSatisfy { $0.localByteCount + 16 <= byteCount })
    }
  }
}
