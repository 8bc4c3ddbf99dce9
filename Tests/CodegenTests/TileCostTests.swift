import IR
import Testing

@testable import Codegen

/// Which tiles products get on devices whose units overlap groups, and on processors.
@Suite struct TileCostTests {
  private static func device(units: Int, vectorByteCount: Int = 16) -> WorkGroups {
    WorkGroups(
      itemCount: 1024, localByteCount: 48 << 10, subgroupItemCount: 32, computeUnitCount: units,
      vectorByteCount: vectorByteCount)
  }

  private static func product(
    _ rows: Extent, _ columns: Extent, _ depth: Extent, batch: Extent = .one, _ size: ProductSize = .any,
    _ device: WorkGroups = device(units: 132)
  ) throws -> GroupProduct {
    let shape = ProductShape(
      extents: ProductExtents(rows: rows, columns: columns, depth: depth), depth: [depth], batch: batch, left: .f32,
      right: .f32, sum: .f32, isRowContiguous: true, isColumnContiguous: false, areColumnsNeighbours: false,
      hasWindow: false)
    let target = Target(cpu: "device", vectorByteCount: 16, vectorRegisterCount: 32, hasMultiplyAdd: true)
    return try #require(GroupProduct(shape, size, target, device))
  }

  @Test func largeProductsHaveTheLargestTiles() throws {
    let product = try Self.product(4096, 4096, 4096)
    #expect(product.tile.rows == 128 && product.tile.columns == 128 && product.splits == 1)
  }

  /// An item that fills a tile with 64 loads takes as long as ten that do 8 each.
  @Test(arguments: [(128, 384, 1536), (128, 384, 384), (196, 256, 2304), (49, 512, 4608), (784, 128, 1152)])
  func fewTilesWithALongDepthAreDivided(_ rows: Int, _ columns: Int, _ depth: Int) throws {
    let product = try Self.product(Extent(rows), Extent(columns), Extent(depth))
    #expect(product.splits > 1 && product.tile.rows >= 32 && product.tile.columns >= 32)
    let tasks = try #require(product.taskCount.fixed)
    #expect((132...600).contains(tasks), "\(tasks) tasks")
  }

  @Test(arguments: [1, 15, 16, 17, 100, 1000, 5000]) func noPartIsEmpty(depth: Int) throws {
    for (rows, columns) in [(1, 1), (3, 500), (64, 64), (500, 3)] {
      let product = try Self.product(Extent(rows), Extent(columns), Extent(depth))
      let steps = (depth + product.tile.depth - 1) / product.tile.depth
      let stepsOfPart = (steps + product.splits - 1) / product.splits
      #expect((product.splits - 1) * stepsOfPart < steps, "\(product.splits) parts of \(depth)")
    }
  }

  @Test func depthsThatAreNotKnownAreWhole() throws {
    #expect(try Self.product(16, 16, .symbol("k")).splits == 1)
  }

  @Test func extentsThatAreNotKnownAreFewOrMany() throws {
    let (rows, device) = (Extent.symbol("n"), Self.device(units: 132))
    let extents = ProductExtents(rows: rows, columns: 384, depth: 1536)
    let sizes = try #require(ProductSize.sizes(extents, batch: .one, device))
    let few = try Self.product(rows, 384, 1536, .few(sums: sizes.few, limit: sizes.limit))
    let many = try Self.product(rows, 384, 1536, .many(sums: sizes.many))
    #expect(few.splits > 1 && many.splits == 1 && many.tile.rows * many.tile.columns > few.tile.rows * few.tile.columns)
    // Partial sums take no more memory than few have.
    #expect(few.partialType.dimensions[1] == .minimum(rows * 384, Extent(sizes.limit)))
    #expect(ProductSize.sizes(extents, batch: .one, Self.device(units: 2, vectorByteCount: 64)) == nil)
    let known = ProductExtents(rows: 10, columns: 20, depth: .symbol("k"))
    #expect(ProductSize.sizes(known, batch: 2, device) == nil)
  }

  @Test func sumsAreSharedAmongExtentsThatAreNotKnown() {
    func counts(_ rows: Extent, _ columns: Extent, _ batch: Extent) -> [Int] {
      let found = ProductSize.many(sums: 6400).counts(
        ProductExtents(rows: rows, columns: columns, depth: 1), batch: batch)
      return [found.rows, found.columns, found.batches]
    }
    let n = Extent.symbol("n")
    #expect(counts(n, 64, 1) == [100, 64, 1])
    #expect(counts(n, n, 1) == [80, 80, 1])
    #expect(counts(8, 8, n) == [8, 8, 100])
    #expect(counts(n, 64, n) == [100, 64, 1])
    #expect(counts(n, 0, 4) == [1600, 0, 4])
    #expect(counts(n, 10000, 1) == [1, 10000, 1])
  }

  /// A processor gains nothing from more groups than it has units.
  @Test func processorsDivideOnlyForTheirUnits() throws {
    let device = Self.device(units: 2, vectorByteCount: 64)
    #expect(try Self.product(512, 512, 512, .any, device).splits == 1)
    #expect(try Self.product(1, 1, 65536, .any, device).splits == 2)
  }
}
