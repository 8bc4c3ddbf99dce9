// Both operands are read along their columns.
func.func @main(%x: tensor<19x9xf32>, %y: tensor<10x19xf32>) -> tensor<9x10xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [0] x [1] : (tensor<19x9xf32>, tensor<10x19xf32>) -> tensor<9x10xf32>
  return %0 : tensor<9x10xf32>
}
