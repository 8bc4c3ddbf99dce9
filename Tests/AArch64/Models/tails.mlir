// Rows whose ends are vectors that are not full, in elements of every width.
func.func @main(%a: tensor<3x?xi8>, %b: tensor<3x?xui16>, %c: tensor<3x?xf16>, %d: tensor<3x?xbf16>, %e: tensor<3x?xi64>, %f: tensor<3x?xf64>, %g: tensor<3x?xi1>, %h: tensor<3x?xcomplex<f32>>) -> (tensor<3x?xi8>, tensor<3x?xui16>, tensor<3x?xf16>, tensor<3x?xbf16>, tensor<3x?xi64>, tensor<3x?xf64>, tensor<3x?xi1>, tensor<3x?xcomplex<f32>>, tensor<3x?xbf16>) {
  %0 = stablehlo.maximum %a, %a : tensor<3x?xi8>
  %1 = stablehlo.subtract %0, %a : tensor<3x?xi8>
  %2 = stablehlo.add %1, %a : tensor<3x?xi8>
  %3 = stablehlo.multiply %b, %b : tensor<3x?xui16>
  %4 = stablehlo.multiply %c, %c : tensor<3x?xf16>
  %5 = stablehlo.subtract %d, %d : tensor<3x?xbf16>
  %6 = stablehlo.multiply %e, %e : tensor<3x?xi64>
  %7 = stablehlo.minimum %f, %f : tensor<3x?xf64>
  %8 = stablehlo.not %g : tensor<3x?xi1>
  %9 = stablehlo.multiply %h, %h : tensor<3x?xcomplex<f32>>
  %10 = stablehlo.convert %f : (tensor<3x?xf64>) -> tensor<3x?xbf16>
  return %2, %3, %4, %5, %6, %7, %8, %9, %10 : tensor<3x?xi8>, tensor<3x?xui16>, tensor<3x?xf16>, tensor<3x?xbf16>, tensor<3x?xi64>, tensor<3x?xf64>, tensor<3x?xi1>, tensor<3x?xcomplex<f32>>, tensor<3x?xbf16>
}
