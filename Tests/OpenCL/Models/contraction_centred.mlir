// Converted bytes less their zero points, of rows and of columns: products of bytes, corrected.
func.func @main(%x: tensor<5x12xui8>, %y: tensor<12x33xi8>, %p: tensor<5x1xui8>, %q: tensor<33xi8>) -> tensor<5x33xi32> {
  %0 = stablehlo.convert %x : (tensor<5x12xui8>) -> tensor<5x12xi32>
  %1 = stablehlo.convert %p : (tensor<5x1xui8>) -> tensor<5x1xi32>
  %2 = stablehlo.broadcast_in_dim %1, dims = [0, 1] : (tensor<5x1xi32>) -> tensor<5x12xi32>
  %3 = stablehlo.subtract %0, %2 : tensor<5x12xi32>
  %4 = stablehlo.convert %y : (tensor<12x33xi8>) -> tensor<12x33xi32>
  %5 = stablehlo.convert %q : (tensor<33xi8>) -> tensor<33xi32>
  %6 = stablehlo.broadcast_in_dim %5, dims = [1] : (tensor<33xi32>) -> tensor<12x33xi32>
  %7 = stablehlo.subtract %4, %6 : tensor<12x33xi32>
  %8 = stablehlo.dot_general %3, %7, contracting_dims = [1] x [0] : (tensor<5x12xi32>, tensor<12x33xi32>) -> tensor<5x33xi32>
  return %8 : tensor<5x33xi32>
}
